"""The data that benchmarks run on: a tenant with a site, an operator, and conversations assigned to the operator.

Everything is created through the gateway, as clients would.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any, Self

import aiohttp

from parley.chat.tenant_seeding import create_owner
from parley_dev.stack import Stack

PASSWORD = "correct-horse-battery"  # noqa: S105 - of an account that lives for minutes
_CREATE_CONCURRENCY = 8


@dataclass(frozen=True, slots=True)
class AssignedConversation:
    """A visitor's conversation that is assigned to an operator."""

    conversation_id: int
    session_id: str
    token: str
    """The operator's access token."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A site with its owner, an operator and their conversations."""

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
        """Create a tenant, a site, an operator, and this many conversations assigned to the operator."""
        name = f"bench-{secrets.token_hex(4)}"
        email = f"owner@{name}.test"
        prefix = stack.environment("chat")["PARLEY_DATABASE_PREFIX"]
        owner = await create_owner(
            mongodb_uri, prefix, tenant=name, email=email, password=PASSWORD, name="Olivia Owner"
        )
        async with aiohttp.ClientSession(f"{stack.gateway_url}/api/v1/") as http:
            token = (await _login(http, email))["token"]
            site = (await _post(http, "sites", token, {"name": "Shop", "domains": ["shop.test"]}))["site"]
            member = await _post(http, "team", token, _member(f"alex@{name}.test", site["id"]))
            operator = await _login(http, member["member"]["email"])
            semaphore = asyncio.Semaphore(_CREATE_CONCURRENCY)

            async def create_conversation() -> AssignedConversation:
                async with semaphore:
                    return await _create_assigned(http, site["site_key"], operator["token"])

            assigned = await asyncio.gather(*(create_conversation() for _ in range(conversations)))
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
            tuple(assigned),
        )


def _member(email: str, site_id: int) -> dict[str, Any]:
    return {
        "email": email,
        "name": "Alex Archer",
        "password": PASSWORD,
        "site_ids": [site_id],
        "permissions": {"can_chat": True, "can_view_conversations": True, "can_manage": False},
    }


async def _login(http: aiohttp.ClientSession, email: str) -> dict[str, Any]:
    return await _post(http, "auth/login", None, {"email": email, "password": PASSWORD})


async def _create_assigned(http: aiohttp.ClientSession, site_key: str, token: str) -> AssignedConversation:
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
        result: dict[str, Any] = await response.json()
        return result
