"""A site's server that identifies its visitors, and what tests do with its tokens."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from support.api import ApiResponse, OperatorClient, VisitorClient

TOKEN_SECONDS = 300


def sign_token(secret: str, claims: Mapping[str, Any], headers: Mapping[str, Any] | None = None) -> str:
    """Sign a token with `exp` in five minutes, unless the claims say otherwise. A claim of None is left out."""
    given = {"exp": int(time.time()) + TOKEN_SECONDS, **claims}
    sent = {name: value for name, value in given.items() if value is not None}
    return jwt.encode(sent, secret, algorithm="HS256", headers=dict(headers or {}))


@dataclass(frozen=True, slots=True)
class SiteServer:
    """The server of a site, with one of its identity secrets."""

    site_id: int
    secret_id: int
    secret: str

    @classmethod
    async def create(cls, manager: OperatorClient, site_id: int, name: str = "Shop server") -> SiteServer:
        created = (await manager.post(f"/sites/{site_id}/identity-secrets", {"name": name})).ok(201)
        return cls(site_id, created["identity_secret"]["id"], created["secret"])

    def sign(self, external_id: str, **claims: Any) -> str:
        return sign_token(self.secret, {"sub": external_id, **claims})

    async def identify(self, visitor: VisitorClient, external_id: str, **claims: Any) -> dict[str, Any]:
        """Identify a visitor as the widget does: the session that the answer names is theirs from then on."""
        answer = (await identify(visitor, self.sign(external_id, **claims))).ok()
        visitor.session_id = answer["session_id"] or visitor.session_id
        return answer


async def identify(visitor: VisitorClient, token: str) -> ApiResponse:
    return await visitor.post("/identify", token=token)
