"""Clients of AI endpoints, one per site with an endpoint of its own and one for the installation's.

A client is created on first use and kept, up to a maximum number. A client whose site has changed is not used for
another reply, and is closed when the last reply that uses it has ended.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from parley.chat.sites.site_settings import SiteSettings
from parley.common.runtime.tasks import BackgroundTasks

_INSTALLATION = 0
"""Takes the place of a site's id for the installation's client."""


class Endpoint(NamedTuple):
    """What a client was created for: a site's own endpoint and key; None for the installation's."""

    base_url: str | None = None
    encrypted_key: str | None = None


class Client(Protocol):
    async def close(self) -> None: ...


ClientT = TypeVar("ClientT", bound=Client)


@dataclass(slots=True)
class PooledClient(Generic[ClientT]):
    endpoint: Endpoint
    client: ClientT
    in_use: int = 0
    retired: bool = False


class SiteClientPool(Generic[ClientT]):
    def __init__(self, create: Callable[[SiteSettings, Endpoint], ClientT], max_clients: int) -> None:
        self._create = create
        self._max_clients = max_clients
        self._clients: OrderedDict[int, PooledClient[ClientT]] = OrderedDict()
        self._closing = BackgroundTasks("ai-clients")

    @contextmanager
    def borrow(self, site: SiteSettings) -> Iterator[ClientT]:
        """The client for a site. It is not closed before the context ends."""
        pooled = self._acquire(site)
        try:
            yield pooled.client
        finally:
            pooled.in_use -= 1
            self._close_if_unused(pooled)

    def invalidate(self, site_id: int) -> None:
        """Create a new client for the site's next reply."""
        pooled = self._clients.pop(site_id, None)
        if pooled is not None:
            pooled.retired = True
            self._close_if_unused(pooled)

    def clear(self) -> None:
        """Create new clients for all sites; the installation's is kept."""
        for site_id in [site_id for site_id in self._clients if site_id != _INSTALLATION]:
            self.invalidate(site_id)

    async def stop(self) -> None:
        for site_id in list(self._clients):
            self.invalidate(site_id)
        await self._closing.stop()

    def _acquire(self, site: SiteSettings) -> PooledClient[ClientT]:
        own = site.ai.has_own_endpoint
        site_id = site.id if own else _INSTALLATION
        endpoint = Endpoint(site.ai.base_url, site.ai.encrypted_key) if own else Endpoint()
        pooled = self._clients.get(site_id)
        # The endpoint is compared as well: the event that the site has changed may be late.
        if pooled is None or pooled.endpoint != endpoint:
            self.invalidate(site_id)
            pooled = self._clients[site_id] = PooledClient(endpoint, self._create(site, endpoint))
        self._clients.move_to_end(site_id)
        pooled.in_use += 1
        while len(self._clients) > self._max_clients:
            self.invalidate(next(iter(self._clients)))
        return pooled

    def _close_if_unused(self, pooled: PooledClient[ClientT]) -> None:
        if pooled.retired and not pooled.in_use:
            self._closing.spawn(pooled.client.close(), "close-ai-client")
