"""Runs a baseline HTTP server: aiohttp on uvloop configured as the services are, in one process, until killed."""

from __future__ import annotations

import asyncio
import gc
import sys

import uvloop
from aiohttp import web


def main(app: web.Application, *, handler_cancellation: bool = False) -> None:
    """Serve on the port given on the command line. `handler_cancellation`: cancel a handler when its client leaves."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(app, int(sys.argv[1]), handler_cancellation))


async def _serve(app: web.Application, port: int, handler_cancellation: bool) -> None:
    runner = web.AppRunner(app, access_log=None, handler_cancellation=handler_cancellation)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    gc.collect()
    gc.freeze()
    await asyncio.Event().wait()
