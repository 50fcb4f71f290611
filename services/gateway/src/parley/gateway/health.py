"""The handler of `GET /healthz`: readiness of the gateway and of every service behind it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import orjson
from aiohttp import web

from parley.gateway.routes import SERVICES
from parley.gateway.timeouts import HEALTH_CACHE_SECONDS
from parley.gateway.upstream.internal_api import InternalApiClient


class HealthHandler:
    """Responds with 200 only while the gateway is ready and each service has a ready replica, else with 503."""

    def __init__(self, internal_api: InternalApiClient, unready_reasons: Callable[[], dict[str, str]]) -> None:
        self._internal_api = internal_api
        self._unready_reasons = unready_reasons
        self._lock = asyncio.Lock()
        self._cached: tuple[float, bool, bytes] = (float("-inf"), False, b"")

    async def get_health(self, _request: web.Request) -> web.StreamResponse:
        # The endpoint is public and each check calls four services: concurrent requests share one check.
        async with self._lock:
            if time.monotonic() - self._cached[0] > HEALTH_CACHE_SECONDS:
                self._cached = (time.monotonic(), *await self._check())
        _, is_ready, body = self._cached
        return web.Response(status=200 if is_ready else 503, body=body, content_type="application/json")

    async def _check(self) -> tuple[bool, bytes]:
        statuses = await asyncio.gather(*(self._internal_api.get_replica_statuses(service) for service in SERVICES))
        is_gateway_ready = not self._unready_reasons()
        services = {"gateway": {"ready": is_gateway_ready, "replicas": 1, "replicas_ready": int(is_gateway_ready)}}
        for service, replica_statuses in zip(SERVICES, statuses, strict=True):
            ready_count = replica_statuses.count(200)
            services[service] = {
                "ready": ready_count > 0,
                "replicas": len(replica_statuses),
                "replicas_ready": ready_count,
            }
        is_ready = all(state["ready"] for state in services.values())
        return is_ready, orjson.dumps({"success": is_ready, "services": services})
