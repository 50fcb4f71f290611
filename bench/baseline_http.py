"""Baseline of the gateway: the same HTTP server (aiohttp on uvloop) with handlers that return fixed bytes.

It is also the upstream of the gateway while that is measured, so that both sides return the same bytes for the same
requests. Run it as a process: `python -m bench.baseline_http PORT`.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from bench.baseline_server import main

BODY = b'{"success":true,"pending":3,"active":12,"sites":{"1":{"pending":3,"active":12},"2":{"pending":0,"active":0}}}'
ACCESS = {
    "success": True,
    "operator_id": 1,
    "tenant_id": 1,
    "name": "Alex Archer",
    "email": "alex@bench.test",
    "language": "en",
    "owner": False,
    "suspended": False,
    "version": 1,
    "sites": {"1": ["can_chat", "can_view_conversations"]},
}
FRAME = b"id: 1234\nevent: message.created\ndata: " + b"x" * 700 + b"\n\n"
EVENTS_HEADER = "Accept-Language"
"""Carries the number of events of a stream; the gateway forwards this header."""

_BURST = 16


async def _get(_: web.Request) -> web.Response:
    return web.Response(body=BODY, content_type="application/json")


async def _post(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=BODY, content_type="application/json")


async def _access(_: web.Request) -> web.Response:
    return web.json_response(ACCESS)


async def _stream(request: web.Request) -> web.StreamResponse:
    """Write the requested number of events in small bursts, then end."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for number in range(int(request.headers[EVENTS_HEADER])):
        await response.write(FRAME)
        if number % _BURST == 0:
            await asyncio.sleep(0.001)
    return response


def _app() -> web.Application:
    app = web.Application()
    app.router.add_get("/internal/access/{id}", _access)
    app.router.add_get("/api/v1/operator/all-chat-counts", _get)
    app.router.add_post("/api/v1/operator/message", _post)
    app.router.add_get("/api/v1/operator/stream", _stream)
    return app


if __name__ == "__main__":
    main(_app())
