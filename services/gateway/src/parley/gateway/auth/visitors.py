"""Authentication of visitors: by the key of a site, a session id and the origin of the page."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from parley.common.auth.identity import IdentitySigner, VisitorCaller
from parley.common.auth.visitor_session import session_handle
from parley.common.caching import InvalidatingCache
from parley.common.errors import Forbidden, NotFound
from parley.gateway.auth.cache import build_cache
from parley.gateway.auth.identity_cache import IdentityCache
from parley.gateway.auth.model import ORIGIN_PATTERN, Site

_SITE_CACHE_BYTES = 16 * 1024 * 1024
_ORIGIN_CACHE_BYTES = 16 * 1024 * 1024
_IDENTITY_CACHE_BYTES = 64 * 1024 * 1024


class OriginNotAllowed(Forbidden):
    code = "origin_not_allowed"
    default_message = "This site does not allow its chat on that domain."


class SiteSource(Protocol):
    """The service that knows sites. Each method raises NotFound and Unavailable."""

    async def get_site(self, site_key: str) -> Site: ...
    async def is_known_origin(self, origin: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class AuthenticatedVisitor:
    """A visitor, and the signed identity that services accept."""

    site_id: int
    tenant_id: int
    session_handle: str
    identity: str


class VisitorAuthenticator:
    """Finds sites and signs identities. Sites and origins are cached until an event invalidates them."""

    def __init__(
        self,
        source: SiteSource,
        signer: IdentitySigner,
        is_connected: Callable[[], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_connected` says whether invalidating events are received."""
        self._sites: InvalidatingCache[str, Site | None] = build_cache(
            "site", source.get_site, is_connected, _SITE_CACHE_BYTES, _get_bytes, monotonic
        )
        self._origins: InvalidatingCache[str, bool | None] = build_cache(
            "origin", source.is_known_origin, is_connected, _ORIGIN_CACHE_BYTES, lambda _: 0, monotonic
        )
        self._identities: IdentityCache[tuple[int, str, str, str]] = IdentityCache(
            signer, _IDENTITY_CACHE_BYTES, monotonic
        )

    async def get_site(self, site_key: str) -> Site:
        """Return the site with this key. Raises NotFound, Unavailable."""
        site = await self._sites.get(site_key)
        if site is None:
            raise NotFound("There is no site with that key.")
        return site

    def is_origin_cached(self, origin: str) -> bool:
        """Return whether the cache knows that some site allows this origin; makes no request."""
        return bool(self._origins.peek(origin))

    async def is_known_origin(self, origin: str) -> bool:
        """Return whether any site allows this origin. Raises Unavailable."""
        # "null" is the origin of sandboxed frames: sites that allow any origin allow it too.
        return (origin == "null" or bool(ORIGIN_PATTERN.match(origin))) and bool(await self._origins.get(origin))

    def authenticate(self, site: Site, session_id: str, client_ip: str, origin: str) -> AuthenticatedVisitor:
        """Return the visitor as services see them: identified by the session's handle, not by its secret id."""
        handle = session_handle(site.site_id, session_id)
        identity = self._identities.get(
            (site.site_id, handle, client_ip, origin),
            site,
            lambda: VisitorCaller(
                site.tenant_id,
                site.site_id,
                handle,
                client_ip,
                origin,
                site.page_tracking,
                site.page_parameters,
                site.colour,
            ),
        )
        return AuthenticatedVisitor(site.site_id, site.tenant_id, handle, identity)

    def invalidate_site(self, site_id: int) -> None:
        """Load a site and all origins again: its key or its domains have changed."""
        self._sites.invalidate_where(lambda _key, site: site is None or site.site_id == site_id)
        self._origins.clear()

    def clear(self) -> None:
        """Load everything again: events may have been missed."""
        self._sites.clear()
        self._origins.clear()

    async def stop(self) -> None:
        """Cancel the loads in flight."""
        await self._sites.stop()
        await self._origins.stop()


def _get_bytes(site: Site) -> int:
    return sum(100 + len(text) for text in (*site.domains, *site.page_parameters))
