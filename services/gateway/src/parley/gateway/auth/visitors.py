"""Authentication of visitors: by the key of a site, a session id and the origin of the page."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from parley.common.auth.identity import IdentitySigner, VisitorCaller
from parley.common.auth.visitor_session import (
    IDENTIFIED_PREFIX,
    IdentifiedSession,
    IdentifiedSessions,
    session_handle,
)
from parley.common.caching import InvalidatingCache
from parley.common.errors import Forbidden, NotFound, Unauthenticated
from parley.gateway.auth.cache import build_cache
from parley.gateway.auth.identity_cache import IdentityCache
from parley.gateway.auth.model import ORIGIN_PATTERN, SessionState, Site
from parley.gateway.timeouts import SESSION_STATE_CACHE_TTL_SECONDS

_SITE_CACHE_BYTES = 16 * 1024 * 1024
_ORIGIN_CACHE_BYTES = 16 * 1024 * 1024
_IDENTITY_CACHE_BYTES = 64 * 1024 * 1024
_MAX_SESSION_STATES = 50_000


class OriginNotAllowed(Forbidden):
    code = "origin_not_allowed"
    default_message = "This site does not allow its chat on that domain."


class SessionEnded(Unauthenticated):
    """The visitor has ended the session or was identified meanwhile, or the session of an identified person has
    expired, or the secret by which they were proved was revoked."""

    code = "session_ended"
    default_message = "This session has ended. Identify the visitor again, or begin with a new session id."


class SiteSource(Protocol):
    """The service that knows sites. Each method raises NotFound and Unavailable."""

    async def get_site(self, site_key: str) -> Site: ...
    async def is_known_origin(self, origin: str) -> bool: ...
    async def get_session_state(self, site_id: int, fingerprint: str) -> SessionState: ...


@dataclass(frozen=True, slots=True)
class AuthenticatedVisitor:
    """A visitor, and the signed identity that services accept."""

    site_id: int
    tenant_id: int
    session_handle: str
    identity: str
    session_fingerprint: str
    is_identified: bool = False
    """Whether the session is that of a person whom the site has identified."""


class VisitorAuthenticator:
    """Finds sites and signs identities. Sites and origins are cached until an event invalidates them."""

    def __init__(
        self,
        source: SiteSource,
        signer: IdentitySigner,
        is_connected: Callable[[], bool],
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`is_connected` says whether invalidating events are received."""
        self._identified_sessions = IdentifiedSessions(signer.secret)
        self._clock = clock
        self._sites: InvalidatingCache[str, Site | None] = build_cache(
            "site", source.get_site, is_connected, _SITE_CACHE_BYTES, _get_bytes, monotonic
        )
        self._origins: InvalidatingCache[str, bool | None] = build_cache(
            "origin", source.is_known_origin, is_connected, _ORIGIN_CACHE_BYTES, lambda _: 0, monotonic
        )
        self._session_states: InvalidatingCache[tuple[int, str], SessionState] = InvalidatingCache(
            lambda key: source.get_session_state(*key),
            is_connected=is_connected,
            ttl_seconds=SESSION_STATE_CACHE_TTL_SECONDS,
            max_size=_MAX_SESSION_STATES,
            monotonic=monotonic,
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
        """Return the visitor as services see them: named by the session's handle, not by its secret id.

        Raises SessionEnded.
        """
        identified = None
        if session_id.startswith(IDENTIFIED_PREFIX):
            identified = self._read_identified(site, session_id)
        fingerprint = session_handle(site.site_id, session_id)
        handle = fingerprint if identified is None else identified.handle
        identity = self._identities.get(
            (site.site_id, fingerprint, client_ip, origin),
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
                site.triggers,
                None if identified is None else identified.identity_secret_id,
                0 if identified is None else identified.expires_at,
                fingerprint,
            ),
        )
        return AuthenticatedVisitor(site.site_id, site.tenant_id, handle, identity, fingerprint, identified is not None)

    async def require_active(self, visitor: AuthenticatedVisitor, *, may_be_joined: bool = False) -> None:
        """Check that the session was not ended; with `may_be_joined`, other than by identifying its visitor.

        Raises SessionEnded, Unavailable.
        """
        state = await self._session_states.get((visitor.site_id, visitor.session_fingerprint))
        if state is SessionState.ENDED or (state is SessionState.JOINED and not may_be_joined):
            raise SessionEnded

    def _read_identified(self, site: Site, session_id: str) -> IdentifiedSession:
        session = self._identified_sessions.read(site.site_id, session_id)
        if (
            session is None
            or session.expires_at <= self._clock()
            or session.identity_secret_id not in site.identity_secret_ids
        ):
            raise SessionEnded
        return session

    def invalidate_site(self, site_id: int) -> None:
        """Load a site and all origins again: its key or its domains have changed."""
        self._sites.invalidate_where(lambda _key, site: site is None or site.site_id == site_id)
        self._origins.clear()

    def invalidate_session(self, site_id: int, fingerprint: str) -> None:
        """Load a session's state again: it has ended."""
        self._session_states.invalidate((site_id, fingerprint))

    def clear(self) -> None:
        """Load everything again: events may have been missed."""
        self._session_states.clear()
        self._sites.clear()
        self._origins.clear()

    async def stop(self) -> None:
        """Cancel the loads in flight."""
        await self._sites.stop()
        await self._origins.stop()
        await self._session_states.stop()


def _get_bytes(site: Site) -> int:
    texts = sum(100 + len(text) for text in (*site.domains, *site.page_parameters))
    return texts + 100 * len(site.identity_secret_ids)
