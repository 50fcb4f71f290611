"""A service's life cycle: start its components, listen, report readiness, and stop in the right order.

Components that need the database or the broker start without them, and become ready when those are available. Until
then the public listener stays closed for a few seconds; after that requests get 503. `/readyz` says whether requests
can be served. An optional component that does not work makes the service degraded, not unready: all replicas would be
taken out of service immediately although requests do without it.

On SIGTERM readiness fails, the public listener closes, streams and requests in flight end, then the components stop in
reverse order, so that the outbox still publishes what was written.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

import orjson
import uvloop
from aiohttp import web

from parley.common.auth import identity
from parley.common.observability import metrics, tracing
from parley.common.observability.logging import configure_logging, get_logger
from parley.common.runtime import timeouts
from parley.common.runtime.listener_probe import ListenerProbe
from parley.common.runtime.settings import ServiceSettings
from parley.common.runtime.tasks import cancel_and_wait, keep_running

log = get_logger(__name__)

MAX_HEADER_BYTES: Final = 8190
"""For one header field of a client; aiohttp's own limit."""

_LISTEN_BACKLOG = 1024

_GC_THRESHOLD = (20_000, 20, 20)
"""Requests leave almost no reference cycles, and every collection traverses the objects in use: with Python's threshold
of 700, a tenth of the processor time of a small request."""


class Component(Protocol):
    """A part of a service with a life cycle. `unready_reason` returns None while it can do its work."""

    name: str

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def unready_reason(self) -> str | None: ...


@runtime_checkable
class StuckCheck(Protocol):
    """A component that knows when it will never work again in this process. `stuck_reason` returns None if it does."""

    name: str

    def stuck_reason(self) -> str | None: ...


ComponentT = TypeVar("ComponentT", bound=Component)


class Service:
    """One process: a public listener, an internal one for health and metrics, and the components behind them."""

    def __init__(self, name: str, settings: ServiceSettings) -> None:
        self.name = name
        self.settings = settings
        self.stopping = False
        self._listening = False
        self._listener_probe: ListenerProbe | None = None
        self._components: list[Component] = []
        self._optional: list[Component] = []

    def add(self, component: ComponentT, *, optional: bool = False) -> ComponentT:
        """Add a component. It starts after those added before it, and stops before them.

        `optional`: requests do without it, so while it does not work the service is degraded instead of unready.
        """
        self._components.append(component)
        if optional:
            self._optional.append(component)
        return component

    def unready_reasons(self) -> dict[str, str]:
        """Return why the service is not ready, by component; empty if it is."""
        reasons = _collect_reasons(one for one in self._components if one not in self._optional)
        if self.stopping:
            reasons["service"] = "stopping"
        return reasons

    def degraded_reasons(self) -> dict[str, str]:
        """Return what does not work that requests do without, by component; empty if everything works."""
        return _collect_reasons(self._optional)

    def stuck_reasons(self) -> dict[str, str]:
        """Return why only a restart helps, by component; empty if the process works."""
        reasons = {
            component.name: reason
            for component in self._components
            if isinstance(component, StuckCheck) and (reason := component.stuck_reason()) is not None
        }
        if self._listener_probe is not None and (reason := self._listener_probe.stuck_reason()) is not None:
            reasons["listener"] = reason
        return reasons

    async def run(
        self,
        app: web.Application,
        runner: Callable[..., web.AppRunner] = web.AppRunner,
        *,
        max_header_bytes: int = identity.MAX_TOKEN_BYTES,
    ) -> None:
        """Serve until SIGTERM or SIGINT. Raises OSError if a port is in use.

        `runner` builds what runs the public listener. The default for its largest header field fits the identity of a
        caller with many sites.
        """
        stop_requested = _stop_on_signals()
        settings = self.settings
        async with contextlib.AsyncExitStack() as stack:
            internal = await _start_listener(
                self._build_internal_app(),
                settings.host,
                settings.internal_port,
                timeouts.INTERNAL_LISTENER_STOP_SECONDS,
            )
            stack.push_async_callback(internal.cleanup)
            for component in self._components:
                await component.start()
                stack.push_async_callback(self._stop_component, component)
            await self._wait_until_ready(stop_requested)
            probe = ListenerProbe()
            app.middlewares.insert(0, probe.middleware)
            public = await _start_listener(
                app,
                settings.host,
                settings.port,
                settings.stop_seconds,
                build_runner=runner,
                reuse_port=settings.reuse_port,
                max_header_bytes=max_header_bytes,
            )
            stack.push_async_callback(public.cleanup)
            self._listening = True
            await self._start_watching(stack, probe, public)
            _tune_garbage_collection()
            log.info("service_started", port=settings.port, internal_port=settings.internal_port)
            await stop_requested.wait()
            log.info("service_stopping")
            self.stopping = True
            await asyncio.sleep(settings.drain_seconds)
        log.info("service_stopped")

    async def _start_watching(
        self, stack: contextlib.AsyncExitStack, probe: ListenerProbe, public: web.AppRunner
    ) -> None:
        watch = keep_running(self._watch_degraded, "watch-degraded")
        stack.push_async_callback(cancel_and_wait, watch)
        host, port = self.settings.host, self.settings.port
        if self.settings.reuse_port:
            # Another process may answer at the shared port: the probe needs one of this process alone.
            host = "127.0.0.1"
            await web.TCPSite(public, host, 0).start()
            port = public.addresses[-1][1]
        await probe.start(host, port)
        stack.push_async_callback(self._stop_probe, probe)
        self._listener_probe = probe

    async def _stop_probe(self, probe: ListenerProbe) -> None:
        self._listener_probe = None
        await probe.stop()

    async def _wait_until_ready(self, stop_requested: asyncio.Event) -> None:
        """Wait a few seconds for the components: while the listener is closed, another replica serves the requests."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeouts.STARTUP_GRACE_SECONDS):
                while not stop_requested.is_set():
                    if not self.unready_reasons() and not self.degraded_reasons():
                        return
                    await asyncio.sleep(timeouts.STARTUP_POLL_SECONDS)

    async def _watch_degraded(self) -> None:
        """Show in metrics what is degraded, and log each change."""
        known: dict[str, str] = {}
        while True:
            reasons = self.degraded_reasons()
            for component in self._optional:
                name = component.name
                metrics.DEGRADED.labels(name).set(name in reasons)
                if name in reasons and name not in known:
                    log.error("dependency_degraded", dependency=name, reason=reasons[name])
                elif name in known and name not in reasons:
                    log.info("dependency_restored", dependency=name)
            known = reasons
            await asyncio.sleep(timeouts.DEGRADED_CHECK_SECONDS)

    async def _stop_component(self, component: Component) -> None:
        try:
            await component.stop()
        except Exception:
            log.exception("component_stop_failed", component=component.name)

    def _build_internal_app(self) -> web.Application:
        async def livez(_: web.Request) -> web.Response:
            stuck = self.stuck_reasons()
            if not stuck:
                return web.Response(text="ok\n")
            log.error("service_stuck", reasons=stuck)
            return web.json_response({"service": self.name, "live": False, "faults": stuck}, status=503)

        async def readyz(request: web.Request) -> web.Response:
            # Clients connect as soon as this says ready: never before the listener is open.
            starting = {} if self._listening else {"service": "not listening yet"}
            reasons = {**starting, **self.unready_reasons()}
            state: dict[str, object] = {"service": self.name, "ready": not reasons, "faults": reasons}
            if "verbose" in request.query:
                state["degraded"] = self.degraded_reasons()
            return web.Response(
                status=503 if reasons else 200, body=orjson.dumps(state), content_type="application/json"
            )

        async def show_metrics(_: web.Request) -> web.Response:
            text, content_type = metrics.render()
            return web.Response(body=text, headers={"Content-Type": content_type})

        app = web.Application()
        app.router.add_get("/livez", livez)
        app.router.add_get("/readyz", readyz)
        app.router.add_get("/metrics", show_metrics)
        return app


def _collect_reasons(components: Iterable[Component]) -> dict[str, str]:
    return {component.name: reason for component in components if (reason := component.unready_reason()) is not None}


def _stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop_requested = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop_requested.set)
    return stop_requested


def _tune_garbage_collection() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLD)


async def _start_listener(
    app: web.Application,
    host: str,
    port: int,
    stop_timeout_seconds: float,
    *,
    build_runner: Callable[..., web.AppRunner] = web.AppRunner,
    reuse_port: bool = False,
    max_header_bytes: int = MAX_HEADER_BYTES,
) -> web.AppRunner:
    runner = build_runner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=stop_timeout_seconds,
        handler_cancellation=True,
        max_field_size=max_header_bytes,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, reuse_port=reuse_port or None, backlog=_LISTEN_BACKLOG).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner


def main(name: str, settings: ServiceSettings, work: Coroutine[Any, Any, None]) -> None:
    """Run a service's coroutine on uvloop. If a port is in use, print a message and exit with status 1."""
    configure_logging(name, settings.log_level)
    tracing.configure(name, settings)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)
    except OSError as exc:
        print(f"parley-{name} cannot listen: {exc.strerror or exc}", file=sys.stderr)
        raise SystemExit(1) from exc
    finally:
        tracing.shutdown(timeouts.TRACE_FLUSH_SECONDS)
