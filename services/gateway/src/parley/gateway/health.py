"""Whether everything behind the public door can do its work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import orjson
from aiohttp import web

from parley.gateway.routes import SERVICES

_REMEMBERED_SECONDS = 0.5


class Asker(Protocol):
    """Asks the services (`clients.errands`)."""

    async def readiness(self, service: str) -> list[int | None]: ...


class Health:
    """Answers `GET /healthz`: 200 only while the gateway and each service behind it have a replica that is ready."""

    def __init__(self, errands: Asker, faults: Callable[[], dict[str, str]]) -> None:
        self._errands = errands
        self._faults = faults
        self._lock = asyncio.Lock()
        self._state: tuple[float, bool, bytes] = (-1e9, False, b"")

    async def show(self, _request: web.Request) -> web.StreamResponse:
        # Everybody may ask this, and each time four services are asked: so once for all who ask at once.
        async with self._lock:
            if time.monotonic() - self._state[0] > _REMEMBERED_SECONDS:
                self._state = (time.monotonic(), *await self._look())
        _, ready, body = self._state
        return web.Response(status=200 if ready else 503, body=body, content_type="application/json")

    async def _look(self) -> tuple[bool, bytes]:
        answers = await asyncio.gather(*(self._errands.readiness(service) for service in SERVICES))
        gateway = not self._faults()
        services = {"gateway": {"ready": gateway, "replicas": 1, "replicas_ready": int(gateway)}}
        for service, statuses in zip(SERVICES, answers, strict=True):
            good = statuses.count(200)
            services[service] = {"ready": good > 0, "replicas": len(statuses), "replicas_ready": good}
        ready = all(state["ready"] for state in services.values())
        return ready, orjson.dumps({"success": ready, "services": services})
