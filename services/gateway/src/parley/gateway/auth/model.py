"""What chat and notify report about operators, stream tickets, sites and logins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self
from urllib.parse import urlsplit

from parley.common.auth.identity import Permission

MAX_ORIGIN_LENGTH = 300
"""Longer than any origin of a browser. Origins are kept in caches, and in signed identities."""
ORIGIN_PATTERN = re.compile(r"^https?://[A-Za-z0-9.\-_\[\]:]{1,255}$")


@dataclass(frozen=True, slots=True)
class OperatorAccess:
    """An operator and their permissions. `version` grows with every change."""

    operator_id: int
    tenant_id: int
    name: str
    email: str
    language: str
    owner: bool
    suspended: bool
    version: int
    sites: Mapping[int, frozenset[Permission]]
    api_key_id: int | None = None
    key_expires_at: int = 0
    """When the API key expires, in seconds since 1970; 0 if it does not."""
    key_scopes: frozenset[Permission] | None = None
    """Those of the API key; None for a login, and for a key that may do all that the operator may."""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Raises KeyError, ValueError, TypeError or AttributeError for a malformed document."""
        sites = {
            int(site_id): frozenset(Permission(name) for name in permissions)
            for site_id, permissions in document["sites"].items()
        }
        scopes = document.get("key_scopes")
        return cls(
            operator_id=int(document["operator_id"]),
            tenant_id=int(document["tenant_id"]),
            name=str(document["name"]),
            email=str(document["email"]),
            language=str(document["language"]),
            owner=bool(document["owner"]),
            suspended=bool(document["suspended"]),
            version=int(document["version"]),
            sites=sites,
            api_key_id=document.get("api_key_id"),
            key_expires_at=int(document.get("key_expires_at") or 0),
            key_scopes=None if scopes is None else frozenset(Permission(name) for name in scopes),
        )


@dataclass(frozen=True, slots=True)
class LoginSession:
    """A login session that chat has created or renewed."""

    access: OperatorAccess
    session_id: str
    refresh_token: str
    device_token: str | None = None
    failed_attempts: int = 0

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Raises KeyError, ValueError, TypeError or AttributeError for a malformed document."""
        access = OperatorAccess.from_document(document["access"])
        return cls(
            access,
            str(document["session_id"]),
            str(document["refresh_token"]),
            document.get("device_token"),
            int(document.get("failed_attempts", 0)),
        )


@dataclass(frozen=True, slots=True)
class StreamTicket:
    """The operator for whom a single-use stream ticket was issued."""

    operator_id: int
    session_id: str | None
    expires_at: int
    """When the operator's token expires, in seconds since 1970."""
    api_key_hash: str | None = None
    """Of the API key that the ticket was issued to; None for a login."""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Raises KeyError, ValueError or TypeError for a malformed document."""
        session_id = document["session_id"]
        return cls(
            int(document["operator_id"]),
            None if session_id is None else str(session_id),
            int(document["expires_at"]),
            document.get("api_key_hash"),
        )


class SessionState(Enum):
    """Whether the session id of a visitor is accepted."""

    ACTIVE = "active"
    ENDED = "ended"
    JOINED = "joined"
    """What it wrote belongs to a person, whom a token of the site must prove."""


@dataclass(frozen=True, slots=True)
class Site:
    """A site and the domains on which its widget may run."""

    site_id: int
    tenant_id: int
    domains: tuple[str, ...]
    any_origin: bool
    page_tracking: bool = True
    page_parameters: tuple[str, ...] = ()
    colour: str = ""
    triggers: str = ""
    """The version of its live triggers; empty without any."""
    identity_secret_ids: frozenset[int] = frozenset()
    """Of the secrets by which the site identifies people at present."""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Raises KeyError, ValueError or TypeError for a malformed document."""
        return cls(
            site_id=int(document["id"]),
            tenant_id=int(document["tenant_id"]),
            domains=tuple(str(domain) for domain in document["domains"]),
            any_origin=bool(document["any_origin"]),
            # A chat service of the version before does not send these.
            page_tracking=bool(document.get("page_tracking", True)),
            page_parameters=tuple(str(name) for name in document.get("page_parameters", ())),
            colour=str(document.get("colour", "")),
            triggers=str(document.get("triggers", "")),
            identity_secret_ids=frozenset(map(int, document.get("identity_secret_ids", ()))),
        )

    def allows_origin(self, origin: str, gateway_host: str) -> bool:
        """Return whether a page of `origin` may use this site's chat; the gateway's own demo page always may."""
        if len(origin) > MAX_ORIGIN_LENGTH:
            return False
        if self.any_origin:
            return True
        if not ORIGIN_PATTERN.match(origin):
            return False
        parts = urlsplit(origin)
        if parts.netloc.lower() == gateway_host.lower():
            return True
        hostname = (parts.hostname or "").lower()
        return any(_matches_domain(domain.lower(), hostname) for domain in self.domains)


def _matches_domain(domain: str, hostname: str) -> bool:
    """`example.com` matches only itself, `*.example.com` every name below it."""
    if domain.startswith("*."):
        return hostname.endswith(domain[1:]) and len(hostname) > len(domain) - 1
    return hostname == domain.split(":", 1)[0]
