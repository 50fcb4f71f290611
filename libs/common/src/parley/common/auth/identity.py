"""Who is asking, and what they may touch: made by the gateway, signed, and the only thing services believe.

The gateway checks tokens and turns them into a caller; services take the caller from the signed header alone, so
reaching a service's port is not enough to be someone.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import jwt

from parley.common.errors import Forbidden, NotFound, Unauthenticated

IDENTITY_HEADER: Final = "X-Parley-Identity"
LIFETIME_SECONDS: Final = 60
MAX_TOKEN_BYTES: Final = 2**20
"""What a service takes as a header: a caller's sites are named in it, some eight bytes each."""
_AUDIENCE: Final = "parley-services"
_REMEMBERED_BYTES: Final = 2**21
"""Of tokens: some thousands of the usual size. Those of callers with thousands of sites are large, and so is a caller
read from one."""


class Permission(StrEnum):
    """What an operator may be allowed on one site."""

    CHAT = "can_chat"
    VIEW = "can_view_conversations"
    MANAGE = "can_manage"


@dataclass(frozen=True, slots=True)
class OperatorCaller:
    """A logged-in member of a tenant's team. `owner` may do everything on every site of the tenant."""

    operator_id: int
    tenant_id: int
    name: str
    sites: Mapping[int, frozenset[Permission]]
    owner: bool = False
    session_id: str | None = None
    """The login this token belongs to; None for API keys and external identity providers."""
    access_version: int = 0
    """Grows with every change of what the operator may do; who has heard of a newer one refuses an older."""
    expires_at: int = 0
    """When the caller's own token ends, in seconds since 1970; 0 where it does not (API keys)."""
    language: str = "en"
    client_ip: str = ""
    required_permission: Permission | None = None
    """The permission that the route in use declares; set by the web layer, read by `authorize`."""

    @property
    def site_ids(self) -> list[int]:
        """The sites on which the caller has the permission that the route declares."""
        return [
            site
            for site, granted in self.sites.items()
            if self.required_permission is None or self.required_permission in granted
        ]

    def authorize(self, tenant_id: int, site_id: int) -> None:
        """Refuse what is not the caller's: another tenant's is not there, an own site without permission is 403."""
        if tenant_id != self.tenant_id:
            raise NotFound
        if self.owner:
            # Also on a site made a moment ago, which the gateway has not heard of yet.
            return
        granted = self.sites.get(site_id)
        if granted is None:
            raise Forbidden("You are not on this site's team.")
        if self.required_permission is not None and self.required_permission not in granted:
            raise Forbidden(f"This needs the permission {self.required_permission} on the site.")

    def with_required_permission(self, permission: Permission | None) -> OperatorCaller:
        """The same caller, held to a permission."""
        return replace(self, required_permission=permission)


@dataclass(frozen=True, slots=True)
class VisitorCaller:
    """A visitor of one site. `session` is the public handle of the session, never the visitor's secret itself."""

    tenant_id: int
    site_id: int
    session: str
    client_ip: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class GatewayCaller:
    """The gateway itself, on an errand of its own: checking a password, looking up who may do what."""

    client_ip: str = ""


Caller = OperatorCaller | VisitorCaller | GatewayCaller


@dataclass(slots=True)
class IdentitySigner:
    """Signs callers (gateway) and reads them back (services). Verified tokens are remembered until they expire."""

    secret: str
    _known: OrderedDict[str, tuple[float, Caller]] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def sign(self, caller: Caller) -> str:
        now = int(time.time())
        claims = {"aud": _AUDIENCE, "iat": now, "exp": now + LIFETIME_SECONDS, **_claims(caller)}
        return jwt.encode(claims, self.secret, algorithm="HS256")

    def verify(self, token: str | None) -> Caller:
        """The caller a token names. Raises Unauthenticated for anything but a fresh token of ours."""
        if not token:
            raise Unauthenticated("The request carries no identity.")
        known = self._known.get(token)
        if known is not None and known[0] > time.time():
            return known[1]
        try:
            claims = jwt.decode(
                token,
                self.secret,
                algorithms=["HS256"],
                audience=_AUDIENCE,
                options={"require": ["exp", "iat", "aud", "kind"]},
            )
            caller = _caller(claims)
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as exc:
            raise Unauthenticated("The request's identity is not valid.") from exc
        self._bytes += len(token) if known is None else 0
        self._known[token] = (float(claims["exp"]), caller)
        while self._bytes > _REMEMBERED_BYTES:
            oldest, _ = self._known.popitem(last=False)
            self._bytes -= len(oldest)
        return caller


def _claims(caller: Caller) -> dict[str, Any]:
    match caller:
        case OperatorCaller():
            return {
                "kind": "operator",
                "op": caller.operator_id,
                "tenant": caller.tenant_id,
                "name": caller.name,
                "sites": _grouped(caller.sites),
                "owner": caller.owner,
                "sid": caller.session_id,
                "ver": caller.access_version,
                "until": caller.expires_at,
                "lang": caller.language,
                "ip": caller.client_ip,
            }
        case VisitorCaller():
            return {
                "kind": "visitor",
                "tenant": caller.tenant_id,
                "site": caller.site_id,
                "session": caller.session,
                "ip": caller.client_ip,
                "origin": caller.origin,
            }
        case GatewayCaller():
            return {"kind": "gateway", "ip": caller.client_ip}


def _grouped(sites: Mapping[int, frozenset[Permission]]) -> list[tuple[list[Permission], list[int]]]:
    """Sites by what is granted on them: an owner of thousands has one permission set, named once."""
    groups: dict[frozenset[Permission], list[int]] = {}
    for site, granted in sites.items():
        groups.setdefault(granted, []).append(site)
    return [(sorted(granted), ids) for granted, ids in groups.items()]


def _caller(claims: Mapping[str, Any]) -> Caller:
    match claims["kind"]:
        case "operator":
            sites: dict[int, frozenset[Permission]] = {}
            for names, ids in claims["sites"]:
                sites.update(dict.fromkeys(map(int, ids), frozenset(map(Permission, names))))
            return OperatorCaller(
                operator_id=claims["op"],
                tenant_id=claims["tenant"],
                name=claims["name"],
                sites=sites,
                owner=claims["owner"],
                session_id=claims["sid"],
                access_version=claims["ver"],
                expires_at=claims["until"],
                language=claims["lang"],
                client_ip=claims["ip"],
            )
        case "visitor":
            return VisitorCaller(
                tenant_id=claims["tenant"],
                site_id=claims["site"],
                session=claims["session"],
                client_ip=claims["ip"],
                origin=claims["origin"],
            )
        case "gateway":
            return GatewayCaller(client_ip=claims["ip"])
        case kind:
            raise ValueError(f"unknown kind of caller: {kind}")
