"""The replicas of a service: every address behind the hosts of its URLs, looked up again every two seconds.

A replica that refuses connections, or does not answer them, gets no requests until a probe reaches it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from parley.common.observability.logging import get_logger
from parley.common.runtime.tasks import cancel_and_wait, keep_running
from parley.gateway import metrics
from parley.gateway.timeouts import (
    LOOKUP_INTERVAL_SECONDS,
    LOOKUP_TIMEOUT_SECONDS,
    MIN_LOOKUP_INTERVAL_SECONDS,
    PROBE_INTERVAL_SECONDS,
    PROBE_TIMEOUT_SECONDS,
)
from parley.gateway.upstream.host_resolver import AddressLookup
from parley.gateway.upstream.replica import Endpoint, Replica
from parley.gateway.upstream.replica_selection import ReplicaSelector

log = get_logger(__name__)


class ReplicaDirectory:
    """Keeps `replicas` and the selector up to date. If a lookup fails, the replicas known before stay."""

    def __init__(
        self, service: str, urls: Sequence[str], lookup: AddressLookup, selector: ReplicaSelector[Replica]
    ) -> None:
        """Raises ValueError for a URL without a host."""
        self.replicas: tuple[Replica, ...] = ()
        self._service = service
        self._endpoints = [Endpoint.from_url(url) for url in urls]
        self._lookup = lookup
        self._selector = selector
        self._addresses: dict[Endpoint, Sequence[str]] = {}
        self._refreshing: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._refresh_requested = asyncio.Event()

    async def start(self) -> None:
        """Look up the replicas now, and again until `stop`."""
        self._task = keep_running(self._run, f"replicas:{self._service}")

    async def stop(self) -> None:
        """Stop looking up replicas, and close the idle connections."""
        await cancel_and_wait(*(task for task in (self._task, self._refreshing) if task is not None))
        self._update(())

    async def refresh(self) -> None:
        """Look up the replicas; concurrent calls share one lookup."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh(), name=f"lookup:{self._service}")
        await asyncio.shield(self._refreshing)

    def request_refresh(self) -> None:
        """Look up the replicas soon: a request to one of them has failed."""
        self._refresh_requested.set()

    def on_unreachable(self, replica: Replica, error: Exception) -> None:
        """Use the replica last until a probe reaches it."""
        # Logged once for an outage, not for every request during it.
        if replica.reachable:
            replica.reachable = False
            log.warning("replica_unreachable", upstream=self._service, replica=replica.address, error=repr(error)[:200])
        self.request_refresh()

    async def _run(self) -> None:
        while True:
            await self.refresh()
            await asyncio.gather(*(self._probe(replica) for replica in self.replicas if not replica.reachable))
            await asyncio.sleep(MIN_LOOKUP_INTERVAL_SECONDS)
            all_reachable = all(replica.reachable for replica in self.replicas)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOKUP_INTERVAL_SECONDS if all_reachable else PROBE_INTERVAL_SECONDS):
                    await self._refresh_requested.wait()
            self._refresh_requested.clear()

    async def _refresh(self) -> None:
        await asyncio.gather(*(self._look_up(endpoint) for endpoint in self._endpoints))
        current = {
            endpoint.format_address(ip): (endpoint, ip)
            for endpoint in self._endpoints
            for ip in self._addresses.get(endpoint, ())
        }
        known = {replica.address: replica for replica in self.replicas}
        if current.keys() != known.keys():
            log.info("replicas_changed", upstream=self._service, replicas=sorted(current))
            self._update(
                tuple(
                    known.get(address) or Replica(self._service, endpoint, ip)
                    for address, (endpoint, ip) in current.items()
                )
            )

    async def _look_up(self, endpoint: Endpoint) -> None:
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_SECONDS):
                self._addresses[endpoint] = await self._lookup(endpoint.host)
        except (OSError, TimeoutError) as exc:
            metrics.LOOKUP_FAILURES.labels(self._service).inc()
            log.debug("lookup_failed", upstream=self._service, host=endpoint.host, error=repr(exc)[:200])

    async def _probe(self, replica: Replica) -> None:
        try:
            connection = await replica.connect(PROBE_TIMEOUT_SECONDS)
        except (OSError, TimeoutError):
            return
        connection.close()
        replica.reachable = True
        log.info("replica_reachable", upstream=self._service, replica=replica.address)

    def _update(self, replicas: tuple[Replica, ...]) -> None:
        for replica in set(self.replicas) - set(replicas):
            replica.remove()
        self.replicas = replicas
        metrics.REPLICAS.labels(self._service).set(len(replicas))
        self._selector.update(replicas)
