"""Clients of AI endpoints, one per endpoint that a site names and one for the installation's.

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
    client: ClientT
    in_use: int = 0
    retired: bool = False


class SiteClientPool(Generic[ClientT]):
    def __init__(self, create: Callable[[SiteSettings, Endpoint], ClientT], max_clients: int) -> None:
        self._create = create
        self._max_clients = max_clients
        self._clients: OrderedDict[tuple[int, Endpoint], PooledClient[ClientT]] = OrderedDict()
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
        """Create new clients for the site's next replies."""
        for key in [key for key in self._clients if key[0] == site_id]:
            self._retire(key)

    def clear(self) -> None:
        """Create new clients for all sites; the installation's is kept."""
        for key in [key for key in self._clients if key[0] != _INSTALLATION]:
            self._retire(key)

    async def stop(self) -> None:
        for key in list(self._clients):
            self._retire(key)
        await self._closing.stop()

    def _acquire(self, site: SiteSettings) -> PooledClient[ClientT]:
        own = site.ai.has_own_endpoint
        endpoint = Endpoint(site.ai.base_url, site.ai.encrypted_key) if own else Endpoint()
        # With the endpoint, as a site may have several, and the event that it has changed may be late.
        key = (site.id if own else _INSTALLATION, endpoint)
        pooled = self._clients.get(key)
        if pooled is None:
            pooled = self._clients[key] = PooledClient(self._create(site, endpoint))
        self._clients.move_to_end(key)
        pooled.in_use += 1
        while len(self._clients) > self._max_clients:
            self._retire(next(iter(self._clients)))
        return pooled

    def _retire(self, key: tuple[int, Endpoint]) -> None:
        pooled = self._clients.pop(key)
        pooled.retired = True
        self._close_if_unused(pooled)

    def _close_if_unused(self, pooled: PooledClient[ClientT]) -> None:
        if pooled.retired and not pooled.in_use:
            self._closing.spawn(pooled.client.close(), "close-ai-client")
