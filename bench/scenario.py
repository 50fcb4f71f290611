"""Who is there when it is measured: a tenant with a site, its operators, and visitors whose conversations they hold.

Everything is made through the gateway, as its people would.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any, Self

import aiohttp

from parley.chat.owner import create_owner
from parley_dev.stack import Stack

_PASSWORD = "correct-horse-battery"  # noqa: S105 - of an account that lives for minutes
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class AssignedConversation:
    """A visitor's conversation that an operator holds."""

    conversation_id: int
    session_id: str
    token: str
    """The holder's."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A site with everybody on it."""

    host: str
    port: int
    tenant_id: int
    site_id: int
    site_key: str
    owner_token: str
    operator_id: int
    operator_token: str
    assigned: tuple[AssignedConversation, ...]

    @classmethod
    async def create(cls, stack: Stack, mongodb_uri: str, *, conversations: int) -> Self:
        """Make a tenant, a site, an operator, and so many conversations that the operator holds."""
        name = f"bench-{secrets.token_hex(4)}"
        email = f"owner@{name}.test"
        prefix = stack.environment("chat")["PARLEY_DATABASE_PREFIX"]
        owner = await create_owner(
            mongodb_uri, prefix, tenant=name, email=email, password=_PASSWORD, name="Olivia Owner"
        )
        async with aiohttp.ClientSession(f"{stack.gateway_url}/api/v1/") as http:
            token = (await _login(http, email))["token"]
            site = (await _post(http, "sites", token, {"name": "Shop", "domains": ["shop.test"]}))["site"]
            member = await _post(http, "team", token, _member(f"alex@{name}.test", site["id"]))
            operator = await _login(http, member["member"]["email"])
            gate = asyncio.Semaphore(_AT_ONCE)

            async def hold() -> AssignedConversation:
                async with gate:
                    return await _hold(http, site["site_key"], operator["token"])

            held = await asyncio.gather(*(hold() for _ in range(conversations)))
        address = stack.gateway_url.removeprefix("http://").partition(":")
        return cls(
            address[0],
            int(address[2]),
            owner.tenant_id,
            site["id"],
            site["site_key"],
            token,
            operator["user"]["id"],
            operator["token"],
            tuple(held),
        )


def _member(email: str, site_id: int) -> dict[str, Any]:
    return {
        "email": email,
        "name": "Alex Archer",
        "password": _PASSWORD,
        "site_ids": [site_id],
        "permissions": {"can_chat": True, "can_view_conversations": True, "can_manage": False},
    }


async def _login(http: aiohttp.ClientSession, email: str) -> dict[str, Any]:
    return await _post(http, "auth/login", None, {"email": email, "password": _PASSWORD})


async def _hold(http: aiohttp.ClientSession, site_key: str, token: str) -> AssignedConversation:
    session_id = secrets.token_hex(16)
    visitor = {"site_key": site_key, "session_id": session_id}
    async with http.post("chat/stream", json={**visitor, "message": "Is anybody there?"}) as response:
        response.raise_for_status()
        await response.read()
    await _post(http, "chat/handoff", None, visitor)
    async with http.get("chat/history", params=visitor) as response:
        response.raise_for_status()
        conversation_id = int((await response.json())["conversation_id"])
    await _post(http, f"operator/accept/{conversation_id}", token, {})
    return AssignedConversation(conversation_id, session_id, token)


async def _post(http: aiohttp.ClientSession, path: str, token: str | None, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with http.post(path, json=body, headers=headers) as response:
        response.raise_for_status()
        answer: dict[str, Any] = await response.json()
        return answer
