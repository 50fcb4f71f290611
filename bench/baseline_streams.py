"""Baseline of fan-out: pre-encoded writes to many sockets from one process.

An aiohttp server on uvloop whose streams have no authorization, no replay buffer and no limit for slow clients.
`GET /events` opens a stream; `POST /burst?events=N` writes the request's body N times to every stream. Run it as a
process: `python -m bench.baseline_streams PORT`.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from bench.baseline_server import main


class StreamRegistry:
    """The transports of all open streams."""

    def __init__(self) -> None:
        self._transports: set[asyncio.Transport] = set()

    async def open(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"event: ready\n\n")
        transport = request.transport
        assert transport is not None
        self._transports.add(transport)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._transports.discard(transport)
        return response

    async def burst(self, request: web.Request) -> web.Response:
        frame = await request.read()
        for _ in range(int(request.query["events"])):
            for transport in self._transports:
                transport.write(frame)
            await asyncio.sleep(0)
        return web.json_response({"streams": len(self._transports)})


def _app() -> web.Application:
    streams = StreamRegistry()
    app = web.Application()
    app.router.add_get("/events", streams.open)
    app.router.add_post("/burst", streams.burst)
    return app


if __name__ == "__main__":
    main(_app(), handler_cancellation=True)
