"""Visitors: which site a key means, which origins it takes, and the signed caller without the session's secret."""

from __future__ import annotations

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from parley.common.auth.identity import IdentitySigner, VisitorCaller
from parley.common.errors import Forbidden, NotFound
from parley.gateway.auth.invalidating_cache import Lookups

SESSION = r"^[A-Za-z0-9_-]{16,128}$"
"""What a session id looks like: a secret that the widget made."""

_ORIGIN = re.compile(r"^https?://[A-Za-z0-9.\-_\[\]:]{1,255}$")
_RESIGN_SECONDS = 20.0
_REMEMBERED = 50_000


class OriginNotAllowed(Forbidden):
    code = "origin_not_allowed"
    sentence = "This site does not allow its chat on that domain."


@dataclass(frozen=True, slots=True)
class Site:
    """A site, as chat answered."""

    site_id: int
    tenant_id: int
    domains: tuple[str, ...]
    any_origin: bool

    def takes(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` may talk to this site's chat; `host` is the gateway's own, for the demo page."""
        if self.any_origin:
            return True
        if not _ORIGIN.match(origin):
            return False
        parts = urlsplit(origin)
        if parts.netloc.lower() == host.lower():
            return True
        name = (parts.hostname or "").lower()
        return any(_covers(domain.lower(), name) for domain in self.domains)


class SiteSource(Protocol):
    """The service that knows the sites. Raises NotFound and Unavailable."""

    async def site(self, site_key: str) -> Site: ...
    async def origin_known(self, origin: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Visitor:
    """A visitor who was let in, and their signed identity for the services."""

    site_id: int
    session: str
    identity: str


class Visitors:
    """Turns site key and session id into a signed caller."""

    def __init__(
        self,
        source: SiteSource,
        signer: IdentitySigner,
        seconds: Callable[[], float],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._signer = signer
        self._now = now
        self._sites: Lookups[str, Site] = Lookups("site", source.site, seconds, 10_000, now)
        self._origins: Lookups[str, bool] = Lookups("origin", source.origin_known, seconds, 10_000, now)
        self._signed: OrderedDict[tuple[int, str, str, str], tuple[float, str]] = OrderedDict()

    async def site(self, site_key: str) -> Site:
        """The site of a key. Raises NotFound, Unavailable."""
        try:
            return await self._sites.get(site_key)
        except NotFound:
            raise NotFound("There is no site with that key.") from None

    def seems_known(self, origin: str) -> bool:
        """Whether some site was lately found to list this origin; asks nobody."""
        return bool(self._origins.peek(origin))

    async def origin_known(self, origin: str) -> bool:
        """Whether any site lists this origin. Raises Unavailable."""
        if not _ORIGIN.match(origin):
            return False
        try:
            return await self._origins.get(origin)
        except NotFound:
            return False

    def sign(self, site: Site, session_id: str, address: str, origin: str) -> Visitor:
        """The visitor as services see them: by the handle of the session, not by its secret."""
        session = handle_of(site.site_id, session_id)
        key = (site.site_id, session, address, origin)
        now = self._now()
        signed = self._signed.get(key)
        if signed is None or now - signed[0] >= _RESIGN_SECONDS:
            caller = VisitorCaller(site.tenant_id, site.site_id, session, address, origin)
            signed = self._signed[key] = (now, self._signer.sign(caller))
            self._signed.move_to_end(key)
            if len(self._signed) > _REMEMBERED:
                self._signed.popitem(last=False)
        return Visitor(site.site_id, session, signed[1])

    def drop_site(self, site_id: int) -> None:
        """A site changed: its key, its domains."""
        self._sites.drop(lambda _key, site: site is None or site.site_id == site_id)
        self._origins.drop_all()

    def drop_all(self) -> None:
        """Something may have been missed."""
        self._sites.drop_all()
        self._origins.drop_all()

    async def stop(self) -> None:
        """End the questions under way."""
        await self._sites.stop()
        await self._origins.stop()


def handle_of(site_id: int, session_id: str) -> str:
    """The public handle of a session: says which visitor, and does not let anybody be them."""
    return "sess_" + hashlib.sha256(f"{site_id}:{session_id}".encode()).hexdigest()[:32]


def read_site(document: Mapping[str, Any]) -> Site:
    """A site as it travels. Raises KeyError, ValueError, TypeError for what is none."""
    return Site(
        site_id=int(document["id"]),
        tenant_id=int(document["tenant_id"]),
        domains=tuple(str(domain) for domain in document["domains"]),
        any_origin=bool(document["any_origin"]),
    )


def _covers(domain: str, name: str) -> bool:
    """`example.com` covers itself alone, `*.example.com` every name below it."""
    if domain.startswith("*."):
        return name.endswith(domain[1:]) and len(name) > len(domain) - 1
    return name == domain.split(":", 1)[0]
