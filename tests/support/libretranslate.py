"""A fake LibreTranslate server: `/languages`, `/translate`, and failures on demand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

Behavior = Literal["ok", "quota", "auth", "unsupported", "outage", "slow", "invalid_json", "oversized", "redirect"]


@dataclass
class FakeLibreTranslate:
    """The server. It translates "Hello" to Danish as "⟨da⟩ Hello"."""

    languages: tuple[str, ...] = ("en", "da", "de", "pt-BR")
    behavior: Behavior = "ok"
    api_key: str | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)
    redirected_requests: int = 0
    """Requests to the target of its redirects."""
    port: int = 0
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def texts(self) -> list[str]:
        return [text for request in self.requests for text in request["q"]]

    async def start(self) -> FakeLibreTranslate:
        app = web.Application()
        app.router.add_get("/languages", self._list_languages)
        app.router.add_post("/translate", self._translate)
        app.router.add_route("*", "/redirected", self._redirected)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _list_languages(self, _: web.Request) -> web.Response:
        rows = [{"code": code, "name": code, "targets": list(self.languages)} for code in self.languages]
        return web.json_response(rows)

    async def _redirected(self, _: web.Request) -> web.Response:
        self.redirected_requests += 1
        return web.json_response({"translatedText": ["redirected"]})

    async def _translate(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(body)
        if self.api_key is not None and body.get("api_key") != self.api_key:
            return web.json_response({"error": "Invalid API key"}, status=403)
        match self.behavior:
            case "quota":
                return web.json_response({"error": "Slowdown: 10 per 1 minute"}, status=429)
            case "auth":
                return web.json_response({"error": "Invalid API key"}, status=403)
            case "unsupported":
                return web.json_response({"error": "xx is not supported"}, status=400)
            case "outage":
                return web.json_response({"error": "Cannot translate text"}, status=500)
            case "slow":
                await asyncio.sleep(60)
            case "invalid_json":
                return web.Response(text="<html>error page of a proxy</html>")
            case "oversized":
                return web.Response(text="[" * 3_000_000)
            case "redirect":
                raise web.HTTPFound("/redirected")
        return web.json_response({"translatedText": [f"⟨{body['target']}⟩ {text}" for text in body["q"]]})
