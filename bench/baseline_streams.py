"""Bare pre-encoded writes to many sockets from one process: the floor of fan-out.

An aiohttp server on uvloop whose streams nobody is asked for, nothing is kept for, and nobody is cut off.
`GET /events` opens one; `POST /burst?events=N` writes the bytes of its body N times to all. Run as a process:
`python -m bench.baseline_streams PORT`.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from bench.baseline_server import main


class Streams:
    """All open sockets."""

    def __init__(self) -> None:
        self._open: set[asyncio.Transport] = set()

    async def open(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"event: ready\n\n")
        transport = request.transport
        assert transport is not None
        self._open.add(transport)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._open.discard(transport)
        return response

    async def burst(self, request: web.Request) -> web.Response:
        frame = await request.read()
        for _ in range(int(request.query["events"])):
            for transport in self._open:
                transport.write(frame)
            await asyncio.sleep(0)
        return web.json_response({"streams": len(self._open)})


def _app() -> web.Application:
    streams = Streams()
    app = web.Application()
    app.router.add_get("/events", streams.open)
    app.router.add_post("/burst", streams.burst)
    return app


if __name__ == "__main__":
    main(_app(), cancels=True)
