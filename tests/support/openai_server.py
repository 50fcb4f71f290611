"""A fake of OpenAI's streaming chat completions API, which can be made to fail."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(slots=True)
class FakeOpenAIServer:
    """The replies to send, the failure to simulate, and the requests received."""

    chunks: list[str] = field(default_factory=lambda: ["Hello", " from", " the", " model."])
    status: int = 200
    pause: asyncio.Event | None = None
    """When set, the reply waits for it before its last chunk."""
    abort_connection: bool = False
    usage: object = 42
    """The number of tokens it reports."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    authorization_headers: list[str] = field(default_factory=list)
    """The Authorization header of each request."""
    url: str = ""
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._on_request)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _on_request(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        self.requests.append(asked)
        self.authorization_headers.append(request.headers.get("Authorization", ""))
        if self.status != 200:
            error = {"message": f"no: {self.authorization_headers[-1]}", "type": "server_error"}
            return web.json_response({"error": error}, status=self.status)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, piece in enumerate(self.chunks):
            if self.pause is not None and number == len(self.chunks) - 1:
                await self.pause.wait()
            if self.abort_connection and number == len(self.chunks) - 1:
                assert request.transport is not None
                request.transport.abort()
                return response
            await response.write(self._frame({"content": piece}))
        usage = {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": self.usage}
        await response.write(self._frame({}, finish="stop"))
        await response.write(self._frame(None, usage=usage))
        await response.write(b"data: [DONE]\n\n")
        return response

    def _frame(
        self, delta: dict[str, Any] | None, finish: str | None = None, usage: dict[str, object] | None = None
    ) -> bytes:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        chunk = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "test",
            "choices": choices,
            "usage": usage,
        }
        return f"data: {json.dumps(chunk)}\n\n".encode()
