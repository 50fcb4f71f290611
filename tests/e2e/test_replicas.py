"""Two of each service: one killed in the middle, or each knowing something that the other has changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pymongo import AsyncMongoClient

from conftest import started_stack
from parley.common.auth.identity import (
    IDENTITY_HEADER,
    Caller,
    IdentitySigner,
    OperatorCaller,
    Permission,
    VisitorCaller,
)
from parley.gateway.auth.visitors import session_handle
from parley_dev.stack import Stack
from support.api import ApiClient, VisitorClient
from support.load import LoadGenerator
from support.tenants import TenantFixture


@pytest.fixture(scope="module")
async def pair(servers: tuple[str, str], run_directory: Path) -> AsyncIterator[Stack]:
    """Two replicas of each service."""
    async for started in started_stack(servers, run_directory / "pair", 2):
        yield started


@pytest.fixture
async def tenant(pair: Stack, servers: tuple[str, str]) -> AsyncIterator[TenantFixture]:
    async with ApiClient(pair.gateway_url) as api:
        yield await TenantFixture.create(api, pair, servers[0])


@pytest.mark.parametrize("service", ["chat", "notify", "gateway", "presence", "translate"])
async def test_killing_a_replica_loses_and_doubles_nothing(pair: Stack, tenant: TenantFixture, service: str) -> None:
    load = LoadGenerator(tenant)
    try:
        await load.start(conversations=3)
        await load.wait_acknowledged(20)
        await pair.kill(service, 0)
        await load.wait_acknowledged(20)
        await pair.restart(service, 0)
        await load.wait_acknowledged(20)
        await load.stop()
        figures = await load.check()
        seen = await load.check_streams()
        assert figures["acknowledged"] > 60
        assert seen["seen"] >= figures["acknowledged"]
    finally:
        await load.close()


async def test_two_operators_on_two_replicas_cannot_both_accept(tenant: TenantFixture) -> None:
    _, conversation_id = await tenant.pending_conversation()
    replies = await asyncio.gather(
        *(
            operator.post(f"/operator/accept/{conversation_id}")
            for operator in (tenant.alex, tenant.sam, tenant.owner)
            for _ in range(4)
        )
    )
    winners = {reply.body["conversation"]["operator"]["id"] for reply in replies if reply.status == 200}
    assert len(winners) == 1
    holders = {reply.body["operator"]["id"] for reply in replies if reply.status == 409}
    assert holders == winners


async def test_a_message_sent_again_to_another_replica_gets_the_same_answer(tenant: TenantFixture) -> None:
    visitor = tenant.new_visitor()
    words = " ".join(f"word{number}" for number in range(400))
    entry = {"question": "Tell me a long story please", "answer": words}
    (await tenant.owner.post(f"/sites/{tenant.site_id}/chatbot/knowledge", entry)).ok(201)
    told = await visitor.send_message("Tell me a long story please", message_id="story-1")
    again = await visitor.send_message("Tell me a long story please", message_id="story-1")
    assert again["answer"] == told["answer"] == words
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["role"] for message in history] == ["visitor", "ai"]


@dataclass(slots=True)
class Replica:
    """One replica of chat, called past the gateway, which would choose one."""

    http: aiohttp.ClientSession
    url: str
    signer: IdentitySigner

    async def post(self, caller: Caller, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        headers = {IDENTITY_HEADER: self.signer.sign(caller)}
        async with self.http.post(f"{self.url}/api/v1{path}", json=body, headers=headers) as response:
            return response.status, await response.read()

    async def say(self, caller: Caller, visitor: VisitorClient, message: str, message_id: str) -> dict[str, Any]:
        """Returns what `done` says."""
        body = {**visitor.credentials, "message": message, "message_id": message_id}
        status, answer = await self.post(caller, "/chat/stream", body)
        assert status == 200, answer
        done: dict[str, Any] = json.loads(answer.rsplit(b"data: ", 1)[1])
        assert done["type"] == "done", answer
        return dict(done["meta"])


@pytest.fixture
async def replicas(pair: Stack) -> AsyncIterator[list[Replica]]:
    signer = IdentitySigner(pair.environment("gateway")["PARLEY_IDENTITY_SECRET"])
    async with aiohttp.ClientSession() as http:
        yield [Replica(http, f"http://127.0.0.1:{one.port}", signer) for one in pair.processes("chat")]


async def test_what_a_replica_knows_of_a_visitor_does_not_outlive_what_another_did(
    pair: Stack, tenant: TenantFixture, replicas: list[Replica], mongodb_uri: str
) -> None:
    here, there = replicas
    visitor, _ = await tenant.assigned_conversation()
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        prefix = pair.environment("chat")["PARLEY_DATABASE_PREFIX"]
        site = await client[f"{prefix}_chat"]["sites"].find_one({"_id": tenant.site_id})
    assert site is not None
    session = session_handle(tenant.site_id, visitor.session_id)
    caller = VisitorCaller(site["tenant_id"], tenant.site_id, session)
    sites = {tenant.site_id: frozenset(Permission)}
    alex = OperatorCaller(tenant.alex.id, site["tenant_id"], "Alex", sites)

    first = await here.say(caller, visitor, "To be closed elsewhere", "one")
    assert (await there.say(caller, visitor, "Also there", "two"))["conversation_id"] == first["conversation_id"]
    assert (await there.post(alex, f"/operator/close/{first['conversation_id']}", {}))[0] == 200
    second = await here.say(caller, visitor, "Are you still there?", "three")
    assert second["conversation_id"] != first["conversation_id"], "closed is closed, whoever closed it"
    assert second["mode"] == "ai"
    for replica in replicas:
        again = await replica.say(caller, visitor, "To be closed elsewhere", "one")
        assert again["message_id"] == first["message_id"], "said once, in the conversation before"
        assert (await replica.say(caller, visitor, "Hm", f"at-{replica.url[-5:]}"))["conversation_id"] == second[
            "conversation_id"
        ]
    blocked = await there.post(
        alex, f"/operator/conversation/{second['conversation_id']}/block", {"blocked": True, "block_type": "both"}
    )
    assert blocked[0] == 200
    refused = {**visitor.credentials, "message": "And now?", "message_id": "five"}
    assert (await here.post(caller, "/chat/stream", refused))[0] == 403
