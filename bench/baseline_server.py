"""How the floors that are servers run: aiohttp on uvloop as our services have it, one process each, until killed."""

from __future__ import annotations

import asyncio
import gc
import sys

import uvloop
from aiohttp import web


def main(app: web.Application, *, cancels: bool = False) -> None:
    """Serve on the port that the command line names. `cancels`: a handler ends when its client leaves."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(app, int(sys.argv[1]), cancels))


async def _serve(app: web.Application, port: int, cancels: bool) -> None:
    runner = web.AppRunner(app, access_log=None, handler_cancellation=cancels)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    gc.collect()
    gc.freeze()
    await asyncio.Event().wait()
