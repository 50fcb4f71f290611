"""A service's life: start its parts, open its doors, say whether it is ready, and stop in the right order.

Parts that need the database or the broker start without them and come to life when those appear: until then
`/readyz` says what is missing, and the public door stays closed for a moment; after that requests get 503. On SIGTERM:
readiness fails, the public door closes, streams and requests under way end, then the parts stop in reverse, so that
what was written is still told to the broker.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

import orjson
import uvloop
from aiohttp import web

from parley.common.auth import identity
from parley.common.observability import metrics, tracing
from parley.common.observability.logging import configure_logging, get_logger
from parley.common.runtime.settings import ServiceSettings

log = get_logger(__name__)

_LAST_SPANS_SECONDS = 3.0
"""For the spans that wait when everything else has stopped."""

_DOOR_SECONDS = 3.0
"""For which the public door stays closed at most while something is missing; then it says 503."""

MAX_HEADER_BYTES = 8190
"""What everybody's clients may send as one header field; aiohttp's own limit."""

_GC_THRESHOLD = (20_000, 20, 20)
"""Requests leave next to nothing in cycles, and every look for those goes through what is under way: a tenth of the
processor time of a small request, at Python's own threshold of 700."""


class Component(Protocol):
    """Something a service is made of. `fault` is None while it can do its work, else why it cannot."""

    name: str

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def unready_reason(self) -> str | None: ...


ComponentT = TypeVar("ComponentT", bound=Component)


class Service:
    """One process: a public door, an internal one for health and metrics, and parts behind them."""

    def __init__(self, name: str, settings: ServiceSettings) -> None:
        self.name = name
        self.settings = settings
        self.stopping = False
        self._door_open = False
        self._parts: list[Component] = []

    def add(self, part: ComponentT) -> ComponentT:
        """Start this part after those added before it, and stop it before them."""
        self._parts.append(part)
        return part

    def unready_reasons(self) -> dict[str, str]:
        """What keeps the service from being ready, by part."""
        found = {part.name: fault for part in self._parts if (fault := part.unready_reason()) is not None}
        if self.stopping:
            found["service"] = "stopping"
        return found

    async def run(
        self,
        app: web.Application,
        runner: type[web.AppRunner] = web.AppRunner,
        *,
        max_header_bytes: int = identity.MAX_TOKEN_BYTES,
    ) -> None:
        """Serve until SIGTERM or SIGINT. `runner` keeps the public door, which takes header fields of so many bytes:
        by default one that names a caller of many sites. Raises OSError when a port is taken."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        settings = self.settings
        async with contextlib.AsyncExitStack() as stack:
            inner = await _open(self._internal(), settings.host, settings.internal_port, 1.0)
            stack.push_async_callback(inner.cleanup)
            for part in self._parts:
                await part.start()
                stack.push_async_callback(self._stop_part, part)
            await self._become_ready(stop)
            outer = await _open(
                app,
                settings.host,
                settings.port,
                settings.stop_seconds,
                kind=runner,
                reuse=settings.reuse_port,
                header_bytes=max_header_bytes,
            )
            stack.push_async_callback(outer.cleanup)
            self._door_open = True
            gc.collect()
            gc.freeze()
            gc.set_threshold(*_GC_THRESHOLD)
            log.info("service_started", port=settings.port, internal_port=settings.internal_port)
            await stop.wait()
            log.info("service_stopping")
            self.stopping = True
            await asyncio.sleep(settings.drain_seconds)
        log.info("service_stopped")

    async def _become_ready(self, stop: asyncio.Event) -> None:
        """Wait a little for the parts: who asks while the door is closed is served by a replica that can."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DOOR_SECONDS):
                while self.unready_reasons() and not stop.is_set():  # noqa: ASYNC110 - parts tell by being asked
                    await asyncio.sleep(0.02)

    async def _stop_part(self, part: Component) -> None:
        try:
            await part.stop()
        except Exception:
            log.exception("part_did_not_stop_cleanly", part=part.name)

    def _internal(self) -> web.Application:
        async def livez(_: web.Request) -> web.Response:
            return web.Response(text="ok\n")

        async def readyz(_: web.Request) -> web.Response:
            # Who hears "ready" connects at once: never before the door is open.
            faults = (
                self.unready_reasons() if self._door_open else {"service": "not open yet", **self.unready_reasons()}
            )
            body = orjson.dumps({"service": self.name, "ready": not faults, "faults": faults})
            return web.Response(status=503 if faults else 200, body=body, content_type="application/json")

        async def show_metrics(_: web.Request) -> web.Response:
            text, kind = metrics.render()
            return web.Response(body=text, headers={"Content-Type": kind})

        app = web.Application()
        app.router.add_get("/livez", livez)
        app.router.add_get("/readyz", readyz)
        app.router.add_get("/metrics", show_metrics)
        return app


async def _open(
    app: web.Application,
    host: str,
    port: int,
    patience: float,
    *,
    kind: type[web.AppRunner] = web.AppRunner,
    reuse: bool = False,
    header_bytes: int = MAX_HEADER_BYTES,
) -> web.AppRunner:
    runner = kind(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=patience,
        handler_cancellation=True,
        max_field_size=header_bytes,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, reuse_port=reuse or None, backlog=1024).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner


def main(name: str, settings: ServiceSettings, work: Coroutine[Any, Any, None]) -> None:
    """Run a service's coroutine on uvloop; a port that is taken is a sentence and status 1."""
    configure_logging(name, settings.log_level)
    tracing.configure(name, settings)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)
    except OSError as exc:
        print(f"parley-{name} cannot listen: {exc.strerror or exc}", file=sys.stderr)
        raise SystemExit(1) from exc
    finally:
        tracing.shutdown(_LAST_SPANS_SECONDS)
