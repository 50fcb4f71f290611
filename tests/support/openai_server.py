"""A fake of OpenAI's streaming chat completions API, which can be made to fail."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from string import ascii_lowercase
from types import TracebackType
from typing import Any, Self

from aiohttp import web

_CALL = re.compile(r"CALL ([\w-]+) (.+)")
"""A message that makes the model call a function."""
_DEFAULT_REPLY = ("Hello", " from", " the", " model.")


class FakeOpenAIServer:
    """The server; start it with `async with`. It records the requests it receives."""

    def __init__(self, reply: Sequence[str] = _DEFAULT_REPLY) -> None:
        self._reply = tuple(reply)
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.reset()

    def reset(self) -> None:
        """Forget the requests, and send the default reply again."""
        self.chunks: Sequence[str] = self._reply
        self.deltas: Sequence[dict[str, Any]] | None = None
        """When set, they are sent in place of the chunks."""
        self.script: list[Sequence[dict[str, Any]]] = []
        """The deltas of the next replies, one after the other, before the others."""
        self.obey: Callable[[dict[str, Any]], Sequence[dict[str, Any]]] | None = None
        """When set, makes the deltas of a reply from the request."""
        self.finish_reason: str | None = "stop"
        self.refused_parameters: dict[str, str] = {}
        """Parameters that it answers with `refusal_status`, and what it says about them."""
        self.refusal_status = 400
        self.refuses_system_role = False
        self.status = 200
        self.pause: asyncio.Event | None = None
        """When set, the reply waits for it before its last chunk."""
        self.abort_connection = False
        self.models: list[str] | None = None
        """The models that it lists; None: it lists none."""
        self.ignores_stream = False
        self.html = False
        """It is a website in place of an API."""
        self.image_answer = "A red one."
        """What it says to a question with an image."""
        self.calls_tools = True
        """Whether it calls a function that is not `no_answer`."""
        self.usage: object = 42
        """The number of tokens it reports."""
        self.embedded: list[str] = []
        """The texts that it was asked to embed."""
        self.embedding_requests = 0
        self.embedding_tokens = 1
        """That it reports for a request of embeddings."""
        self.requests: list[dict[str, Any]] = []
        self.authorization_headers: list[str] = []

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._on_request)
        app.router.add_post("/v1/embeddings", self._on_embeddings)
        app.router.add_get("/v1/models", self._on_models)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _on_request(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        self.authorization_headers.append(request.headers.get("Authorization", ""))
        refusal = self._find_refusal(self.requests[-1])
        if refusal is not None:
            return web.json_response(
                {"error": {**refusal, "type": "invalid_request_error"}}, status=self.refusal_status
            )
        if self.html:
            return web.Response(text="<html>Welcome</html>", content_type="text/html")
        if self.status != 200:
            error = {"message": f"no: {self.authorization_headers[-1]}", "type": "server_error"}
            return web.json_response({"error": error}, status=self.status)
        if not self.requests[-1].get("stream") or self.ignores_stream:
            return web.json_response(self._completion(self.requests[-1]))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        deltas = [{"content": content} for content in self.chunks] if self.deltas is None else self.deltas
        if self.script:
            deltas = self.script.pop(0)
        elif self.obey is not None:
            deltas = self.obey(self.requests[-1])
        elif asked := _CALL.match(str(self.requests[-1]["messages"][-1]["content"])):
            deltas = [call_delta(asked[1], asked[2])]
        for number, delta in enumerate(deltas):
            is_last = number == len(deltas) - 1
            if self.pause is not None and is_last:
                await self.pause.wait()
            if self.abort_connection and is_last:
                assert request.transport is not None
                request.transport.abort()
                return response
            await response.write(_frame(delta))
        usage = {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": self.usage}
        await response.write(_frame({}, finish=self.finish_reason))
        await response.write(_frame(None, usage=usage))
        await response.write(b"data: [DONE]\n\n")
        return response

    async def _on_models(self, request: web.Request) -> web.StreamResponse:
        if self.html:
            return web.Response(text="<html>Welcome</html>", content_type="text/html")
        if self.status != 200:
            return web.json_response({"error": {"message": "no", "type": "server_error"}}, status=self.status)
        if self.models is None:
            raise web.HTTPNotFound
        rows = [{"id": name, "object": "model", "created": 1, "owned_by": "us"} for name in self.models]
        return web.json_response({"object": "list", "data": rows})

    async def _on_embeddings(self, request: web.Request) -> web.StreamResponse:
        """A vector of how often each letter occurs, with a constant, as no two texts of a real model are orthogonal."""
        body = await request.json()
        self.embedded += body["input"]
        self.embedding_requests += 1
        if self.status != 200:
            return web.json_response({"error": {"message": "no", "type": "server_error"}}, status=self.status)
        rows = [[1.0, *(float(text.casefold().count(letter)) for letter in ascii_lowercase)] for text in body["input"]]
        data = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)]
        usage = {"prompt_tokens": self.embedding_tokens, "total_tokens": self.embedding_tokens}
        return web.json_response({"object": "list", "data": data, "model": body["model"], "usage": usage})

    def _find_refusal(self, request: dict[str, Any]) -> dict[str, Any] | None:
        for name, message in self.refused_parameters.items():
            if name in request:
                # About tools, servers name no parameter.
                return {"message": message, "param": None if name == "tools" else name}
        if self.refuses_system_role and request["messages"][0]["role"] == "system":
            message = "Unsupported value: 'messages[0].role' does not support 'system' with this model."
            return {"message": message, "param": "messages[0].role", "code": "unsupported_value"}
        return None

    def _completion(self, request: dict[str, Any]) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.chunks)}
        if isinstance(request["messages"][-1]["content"], list):
            message["content"] = self.image_answer
        elif "response_format" in request:
            message["content"] = '{"colour": "green"}'
        elif self.calls_tools and "tools" in request and request["tools"][0]["function"]["name"] != "no_answer":
            function = {"name": request["tools"][0]["function"]["name"], "arguments": "{}"}
            message = {**message, "tool_calls": [{"id": "1", "type": "function", "function": function}]}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "test",
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish_reason}],
            "usage": {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": self.usage},
        }


def call_delta(name: str, arguments: str, *, index: int = 0) -> dict[str, Any]:
    """A whole call of a function, in one delta."""
    function = {"name": name, "arguments": arguments}
    call = {"index": index, "id": f"call_{name}_{index}", "type": "function", "function": function}
    return {"tool_calls": [call]}


def _frame(delta: dict[str, Any] | None, finish: str | None = None, usage: dict[str, object] | None = None) -> bytes:
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
