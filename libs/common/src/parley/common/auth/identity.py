"""The caller of a request and its permissions, as a token that the gateway signs and services verify.

The gateway authenticates the client and builds the caller; services accept the caller only from the signed header, so
access to a service's port gives no access to data.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import jwt

from parley.common.auth.timeouts import CLOCK_SKEW_SECONDS, IDENTITY_LIFETIME_SECONDS
from parley.common.errors import Forbidden, NotFound, Unauthenticated

IDENTITY_HEADER: Final = "X-Parley-Identity"
MAX_TOKEN_BYTES: Final = 2**20
"""For the header. It lists the caller's sites, about eight bytes each."""
_AUDIENCE: Final = "parley-services"
_CACHE_BYTES: Final = 2**21
"""Of cached tokens, some thousands of the usual size. Tokens of callers with thousands of sites are large, and so are
their callers."""


class Permission(StrEnum):
    """A permission of an operator on one site."""

    CHAT = "can_chat"
    VIEW = "can_view_conversations"
    MANAGE = "can_manage"


@dataclass(frozen=True, slots=True)
class OperatorCaller:
    """An operator: a member of a tenant's team. An `owner` has every permission on every site of the tenant."""

    operator_id: int
    tenant_id: int
    name: str
    sites: Mapping[int, frozenset[Permission]]
    owner: bool = False
    login_session_id: str | None = None
    """The login session of the token; None for API keys and external identity providers. In tokens it is `sid`."""
    access_version: int = 0
    """Grows with every change of the operator's access; a service that knows a newer version rejects an older one."""
    expires_at: int = 0
    """When the caller's own token expires, in seconds since 1970; 0 for API keys, which do not."""
    api_key_hash: str | None = None
    """The hash of the API key; None for logins."""
    language: str = "en"
    client_ip: str = ""
    api_key_id: int | None = None
    """The API key that is used; None for a login."""
    api_key_scopes: frozenset[Permission] | None = None
    """What the API key was made for; None for a login, and for a key that may do all that its operator may."""
    required_permission: Permission | None = None
    """The permission that the route requires; set by the HTTP layer, checked by `authorize`."""

    @property
    def login(self) -> str | None:
        """What the caller authenticated with: a login session or an API key. What belongs to it ends with it.

        None for an external identity provider, whose sessions are not known here.
        """
        if self.login_session_id is not None:
            return f"session:{self.login_session_id}"
        return None if self.api_key_hash is None else f"key:{self.api_key_hash}"

    @property
    def site_ids(self) -> list[int]:
        """The sites on which the caller has the required permission."""
        return [
            site
            for site, granted in self.sites.items()
            if self.required_permission is None or self.required_permission in granted
        ]

    def authorize(self, tenant_id: int, site_id: int) -> None:
        """Check access to a site. Raises NotFound for another tenant's, Forbidden without the required permission."""
        if tenant_id != self.tenant_id:
            raise NotFound
        if self.owner:
            # Includes a new site that the gateway's cached access does not contain yet.
            return
        granted = self.sites.get(site_id)
        if granted is None:
            raise Forbidden("You are not on this site's team.")
        if self.required_permission is not None and self.required_permission not in granted:
            raise Forbidden(f"This requires the permission {self.required_permission} on the site.")

    def with_required_permission(self, permission: Permission | None) -> OperatorCaller:
        """Return the caller with a permission that `authorize` checks."""
        return replace(self, required_permission=permission)


@dataclass(frozen=True, slots=True)
class VisitorCaller:
    """A visitor of one site. `session` is the public handle of their session, never the secret session id.

    `page_tracking` and `page_parameters` are the site's choice of what operators see of the visitor's page: whether
    they see it at all, and which parameters of its query. `colour` is that of the site's widget,
    `triggers` the version of its live triggers, empty without any.
    `identity_secret_id` is that of the secret by which the site has proved who the visitor is; None for an unidentified
    session. `session_expires_at` is in seconds since 1970, 0 for an unidentified session, which does not expire.
    `session_fingerprint` names the session id: that of an unidentified session is its handle, those of an identified
    person's devices differ. Empty from a gateway of the version before.
    """

    tenant_id: int
    site_id: int
    session: str
    client_ip: str = ""
    origin: str = ""
    page_tracking: bool = True
    page_parameters: tuple[str, ...] = ()
    colour: str = ""
    triggers: str = ""
    identity_secret_id: int | None = None
    session_expires_at: int = 0
    session_fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class GatewayCaller:
    """The gateway itself, for internal requests: checking a password, looking up an operator's access."""

    client_ip: str = ""


Caller = OperatorCaller | VisitorCaller | GatewayCaller


@dataclass(slots=True)
class IdentitySigner:
    """Signs callers (gateway) and verifies them (services). Verified tokens are cached until they expire."""

    secret: str
    _cache: OrderedDict[tuple[str, Permission | None], tuple[float, Caller]] = field(default_factory=OrderedDict)
    _cached_bytes: int = 0

    def sign(self, caller: Caller) -> str:
        """Return a token for a caller, valid for a minute."""
        now = int(time.time())
        claims = {"aud": _AUDIENCE, "iat": now, "exp": now + IDENTITY_LIFETIME_SECONDS, **_to_claims(caller)}
        return jwt.encode(claims, self.secret, algorithm="HS256")

    def verify(self, token: str | None, required_permission: Permission | None = None) -> Caller:
        """Return the caller of a token; an operator with the permission that `authorize` checks.

        Raises Unauthenticated unless the token is valid and signed with `secret`.
        """
        if not token:
            raise Unauthenticated("The request carries no identity.")
        key = token, required_permission
        cached = self._cache.get(key)
        if cached is not None and cached[0] > time.time():
            return cached[1]
        try:
            claims = jwt.decode(
                token,
                self.secret,
                algorithms=["HS256"],
                audience=_AUDIENCE,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": ["exp", "iat", "aud", "kind"]},
            )
            caller = _to_caller(claims)
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as exc:
            raise Unauthenticated("The request's identity is not valid.") from exc
        if isinstance(caller, OperatorCaller):
            caller = caller.with_required_permission(required_permission)
        self._cached_bytes += len(token) if cached is None else 0
        self._cache[key] = (float(claims["exp"]), caller)
        while self._cached_bytes > _CACHE_BYTES:
            (oldest, _), _ = self._cache.popitem(last=False)
            self._cached_bytes -= len(oldest)
        return caller


def _to_claims(caller: Caller) -> dict[str, Any]:
    match caller:
        case OperatorCaller():
            return {
                "kind": "operator",
                "op": caller.operator_id,
                "tenant": caller.tenant_id,
                "name": caller.name,
                "sites": _group_by_permissions(caller.sites),
                "owner": caller.owner,
                "sid": caller.login_session_id,
                "ver": caller.access_version,
                "until": caller.expires_at,
                "key_hash": caller.api_key_hash,
                "lang": caller.language,
                "ip": caller.client_ip,
                "key": caller.api_key_id,
                "scopes": None if caller.api_key_scopes is None else sorted(caller.api_key_scopes),
            }
        case VisitorCaller():
            return {
                "kind": "visitor",
                "tenant": caller.tenant_id,
                "site": caller.site_id,
                "session": caller.session,
                "ip": caller.client_ip,
                "origin": caller.origin,
                "pages": caller.page_tracking,
                "params": list(caller.page_parameters),
                "colour": caller.colour,
                "triggers": caller.triggers,
                "proof": caller.identity_secret_id,
                "until": caller.session_expires_at,
                "print": caller.session_fingerprint,
            }
        case GatewayCaller():
            return {"kind": "gateway", "ip": caller.client_ip}


def _group_by_permissions(sites: Mapping[int, frozenset[Permission]]) -> list[tuple[list[Permission], list[int]]]:
    """Group sites by their permissions, which keeps the token of a caller with thousands of equal sites small."""
    groups: dict[frozenset[Permission], list[int]] = {}
    for site, granted in sites.items():
        groups.setdefault(granted, []).append(site)
    return [(sorted(granted), ids) for granted, ids in groups.items()]


def _to_caller(claims: Mapping[str, Any]) -> Caller:
    match claims["kind"]:
        case "operator":
            sites: dict[int, frozenset[Permission]] = {}
            for names, ids in claims["sites"]:
                sites.update(dict.fromkeys(map(int, ids), frozenset(map(Permission, names))))
            scopes = claims.get("scopes")
            return OperatorCaller(
                operator_id=claims["op"],
                tenant_id=claims["tenant"],
                name=claims["name"],
                sites=sites,
                owner=claims["owner"],
                login_session_id=claims["sid"],
                access_version=claims["ver"],
                expires_at=claims["until"],
                language=claims["lang"],
                client_ip=claims["ip"],
                # A gateway of the version before does not send these.
                api_key_hash=claims.get("key_hash"),
                api_key_id=claims.get("key"),
                api_key_scopes=None if scopes is None else frozenset(map(Permission, scopes)),
            )
        case "visitor":
            return VisitorCaller(
                tenant_id=claims["tenant"],
                site_id=claims["site"],
                session=claims["session"],
                client_ip=claims["ip"],
                origin=claims["origin"],
                # A gateway of the version before does not send these.
                page_tracking=claims.get("pages", True),
                page_parameters=tuple(claims.get("params", ())),
                colour=claims.get("colour", ""),
                triggers=claims.get("triggers", ""),
                identity_secret_id=claims.get("proof"),
                session_expires_at=claims.get("until", 0),
                session_fingerprint=claims.get("print", ""),
            )
        case "gateway":
            return GatewayCaller(client_ip=claims["ip"])
        case kind:
            raise ValueError(f"unknown kind of caller: {kind}")
