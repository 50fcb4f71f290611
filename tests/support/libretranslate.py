"""A LibreTranslate server, played: `/languages` and `/translate`, and its ways of failing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

Mood = Literal["well", "quota", "auth", "unsupported", "outage", "slow", "babbling", "endless", "redirecting"]


@dataclass
class LibreTranslate:
    """The stand-in. It translates «Hello» to Danish as «⟨da⟩ Hello»."""

    languages: tuple[str, ...] = ("en", "da", "de", "pt-BR")
    mood: Mood = "well"
    api_key: str | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    strayed: int = 0
    """How often it was asked where it had sent somebody."""
    port: int = 0
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def texts(self) -> list[str]:
        return [text for request in self.asked for text in request["q"]]

    async def start(self) -> LibreTranslate:
        app = web.Application()
        app.router.add_get("/languages", self._list)
        app.router.add_post("/translate", self._translate)
        app.router.add_route("*", "/elsewhere", self._elsewhere)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        """Gone: nothing listens on its port any more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _list(self, _: web.Request) -> web.Response:
        rows = [{"code": code, "name": code, "targets": list(self.languages)} for code in self.languages]
        return web.json_response(rows)

    async def _elsewhere(self, _: web.Request) -> web.Response:
        self.strayed += 1
        return web.json_response({"translatedText": ["from elsewhere"]})

    async def _translate(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        if self.api_key is not None and body.get("api_key") != self.api_key:
            return web.json_response({"error": "Invalid API key"}, status=403)
        match self.mood:
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
            case "babbling":
                return web.Response(text="<html>a proxy's page</html>")
            case "endless":
                return web.Response(text="[" * 3_000_000)
            case "redirecting":
                raise web.HTTPFound("/elsewhere")
        return web.json_response({"translatedText": [f"⟨{body['target']}⟩ {text}" for text in body["q"]]})
