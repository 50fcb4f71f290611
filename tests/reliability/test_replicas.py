"""Two replicas of each service: kills, concurrent accepts, and caches that the other replica has made stale."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
import pytest
from pymongo import AsyncMongoClient

from parley.common.auth.identity import (
    IDENTITY_HEADER,
    Caller,
    IdentitySigner,
    OperatorCaller,
    Permission,
    VisitorCaller,
)
from parley.common.auth.visitor_session import session_handle
from reliability.conftest import ReliabilityCluster, repetitions, report
from support.api import ApiClient, VisitorClient
from support.identity import SiteServer, identify
from support.load import LoadGenerator
from support.sse import SseEvent, SseStream
from support.tenants import TenantFixture
from support.wait import wait_until


@pytest.mark.parametrize("service", ["chat", "notify", "gateway", "presence", "translate"])
async def test_killing_a_replica_loses_and_duplicates_nothing(
    cluster: ReliabilityCluster, tenant: TenantFixture, service: str
) -> None:
    """T1: killing a replica of any service under load loses and duplicates no message."""
    load = LoadGenerator(tenant)
    try:
        await load.start(conversations=3)
        await load.wait_acknowledged(20)
        await cluster.stack.kill(service, 0)
        await load.wait_acknowledged(20)
        await cluster.stack.restart(service, 0)
        await load.wait_acknowledged(20)
        await load.stop()
        stored = await load.check()
        received = await load.check_streams()
        assert stored["acknowledged"] > 60
        assert received["received"] >= stored["acknowledged"]
    finally:
        await load.close()


async def _get_metrics(cluster: ReliabilityCluster, service: str) -> list[str]:
    async with aiohttp.ClientSession() as http:
        texts = []
        for replica in cluster.stack.processes(service):
            async with http.get(f"{replica.internal_url}/metrics") as response:
                texts.append(await response.text())
        return texts


async def _count_conflicts(cluster: ReliabilityCluster) -> int:
    """Count the changes of conversations that another replica of chat made first."""
    texts = "\n".join(await _get_metrics(cluster, "chat"))
    return sum(int(float(one)) for one in re.findall(r"^parley_chat_write_conflicts_total (\S+)", texts, re.M))


async def _scale_chat(cluster: ReliabilityCluster, count: int) -> None:
    """Let the gateways find this many replicas, and wait until all of them have."""

    async def all_see() -> bool:
        seen = f'parley_gateway_replicas{{service="chat"}} {count}.0'
        return all(seen in text for text in await _get_metrics(cluster, "gateway"))

    cluster.stack.write_hosts({"chat": count})
    await wait_until(all_see, timeout=5)


async def test_scaling_chat_under_load_loses_nothing_and_conversations_keep_to_one_replica(
    cluster: ReliabilityCluster, tenant: TenantFixture
) -> None:
    """T22: replicas of chat that come and go under load fail, lose and double no message, and then do not collide."""
    load = LoadGenerator(tenant, pause=0.05)
    collisions, changes = 0, repetitions(4, 20)
    try:
        await load.start(conversations=6)
        for number in range(changes):
            await _scale_chat(cluster, 1 + number % 2)
            await load.wait_acknowledged(60)
            before = await _count_conflicts(cluster)
            await load.wait_acknowledged(90)
            collisions += await _count_conflicts(cluster) - before
        await load.stop()
        stored = await load.check()
        await load.check_streams()
        assert not load.rejected
        assert collisions == 0, "without affinity every other change of two replicas collides"
        report("T22", f"{stored['acknowledged']} messages while chat was scaled {changes} times, 0 lost")
    finally:
        cluster.stack.write_hosts({})
        await load.close()


async def test_concurrent_accepts_on_two_replicas_have_one_winner(tenant: TenantFixture) -> None:
    """T7: of concurrent accepts on two replicas one succeeds; the others get 409 that names its operator."""
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
    assigned = {reply.body["operator"]["id"] for reply in replies if reply.status == 409}
    assert assigned == winners


async def test_a_message_repeated_on_another_replica_gets_the_same_reply(tenant: TenantFixture) -> None:
    """T8: a message repeated with its id on another replica gets the same reply and is stored once."""
    visitor = tenant.new_visitor()
    story = " ".join(f"word{number}" for number in range(400))
    entry = {"question": "Tell me a long story please", "answer": story}
    (await tenant.owner.post(f"/sites/{tenant.site_id}/chatbot/knowledge", entry)).ok(201)
    first = await visitor.send_message("Tell me a long story please", message_id="story-1")
    again = await visitor.send_message("Tell me a long story please", message_id="story-1")
    assert again["answer"] == first["answer"] == story
    history = (await visitor.get("/history")).ok()["messages"]
    assert [message["role"] for message in history] == ["visitor", "ai"]


@dataclass(slots=True)
class ChatReplica:
    """One replica of chat, called directly: the gateway would select one itself."""

    http: aiohttp.ClientSession
    url: str
    signer: IdentitySigner

    async def post(self, caller: Caller, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        headers = {IDENTITY_HEADER: self.signer.sign(caller)}
        async with self.http.post(f"{self.url}/api/v1{path}", json=body, headers=headers) as response:
            return response.status, await response.read()

    async def send_message(
        self, caller: Caller, visitor: VisitorClient, message: str, message_id: str
    ) -> dict[str, Any]:
        """Send a message. Returns the data of `done`."""
        body = {**visitor.credentials, "message": message, "message_id": message_id}
        status, reply = await self.post(caller, "/chat/stream", body)
        assert status == 200, reply
        done: dict[str, Any] = json.loads(reply.rsplit(b"data: ", 1)[1])
        assert done["type"] == "done", reply
        return dict(done["meta"])


@pytest.fixture
async def replicas(cluster: ReliabilityCluster) -> AsyncIterator[list[ChatReplica]]:
    signer = IdentitySigner(cluster.stack.environment("gateway")["PARLEY_IDENTITY_SECRET"])
    async with aiohttp.ClientSession() as http:
        yield [ChatReplica(http, one.url, signer) for one in cluster.stack.processes("chat")]


async def test_a_replicas_cached_visitor_is_invalidated_by_another_replica(
    cluster: ReliabilityCluster, tenant: TenantFixture, replicas: list[ChatReplica]
) -> None:
    first_replica, second_replica = replicas
    visitor, _ = await tenant.assigned_conversation()
    session = session_handle(tenant.site_id, visitor.session_id)
    alex, _ = await _get_callers(cluster, tenant)
    caller = VisitorCaller(alex.tenant_id, tenant.site_id, session)

    first = await first_replica.send_message(caller, visitor, "Closed by the other replica", "one")
    assert (await second_replica.send_message(caller, visitor, "On the other replica", "two"))[
        "conversation_id"
    ] == first["conversation_id"]
    assert (await second_replica.post(alex, f"/operator/close/{first['conversation_id']}", {}))[0] == 200
    second = await first_replica.send_message(caller, visitor, "Are you still there?", "three")
    assert second["conversation_id"] != first["conversation_id"], (
        "the conversation is closed, whichever replica closed it"
    )
    assert second["mode"] == "ai"
    for replica in replicas:
        again = await replica.send_message(caller, visitor, "Closed by the other replica", "one")
        assert again["message_id"] == first["message_id"], "stored once, in the previous conversation"
        assert (await replica.send_message(caller, visitor, "Hm", f"at-{replica.url[-5:]}"))[
            "conversation_id"
        ] == second["conversation_id"]
    blocked = await second_replica.post(
        alex, f"/operator/conversation/{second['conversation_id']}/block", {"blocked": True, "block_type": "both"}
    )
    assert blocked[0] == 200
    rejected = {**visitor.credentials, "message": "And now?", "message_id": "five"}
    assert (await first_replica.post(caller, "/chat/stream", rejected))[0] == 403


async def _has_ended(visitor: VisitorClient) -> bool:
    answer = await visitor.get("/history")
    return answer.status == 401 and answer.body["code"] == "session_ended"


async def test_an_identified_person_goes_on_at_the_other_replicas(
    cluster: ReliabilityCluster, tenant: TenantFixture, replicas: list[ChatReplica]
) -> None:
    """A21: identified at one replica, a person has their history at every other, and the session before has ended."""
    server = await SiteServer.create(tenant.owner, tenant.site_id)
    first_gateway, second_gateway = (process.url for process in cluster.stack.processes("gateway"))
    async with ApiClient(first_gateway) as first, ApiClient(second_gateway) as second:
        device = first.visitor(tenant.site_key)
        conversation_id = (await device.send_message("Before", message_id="before"))["conversation_id"]
        known = second.visitor(tenant.site_key, device.session_id)
        assert (await known.get("/history")).status == 200
        handle = session_handle(tenant.site_id, device.session_id)
        async with known.events() as stream:
            await stream.wait_for("ready")
            await server.identify(device, "customer-1")
            await stream.wait_until_ended()
        await wait_until(partial(_has_ended, known))
        assert (await known.post("/stream", message="Still me?")).status == 401

        # Messages that the gateway had let in before, at replicas that have cached the conversation as it was.
        alex, _ = await _get_callers(cluster, tenant)
        before = VisitorCaller(alex.tenant_id, tenant.site_id, handle)
        for number, replica in enumerate(replicas):
            sent = await replica.send_message(before, known, "On its way", f"late-{number}")
            assert sent["conversation_id"] == conversation_id

        person = second.visitor(tenant.site_key, device.session_id)
        assert (await person.send_message("On its way", message_id="late-0"))["conversation_id"] == conversation_id
        messages = (await person.get("/history")).ok()["messages"]
        own = [(one["content"], one["message_id"]) for one in messages if one["role"] == "visitor"]
        assert own == [("Before", "before"), ("On its way", "late-0"), ("On its way", "late-1")]

        # The page did not receive the answer, and asks again; then somebody else, who knows the session id.
        again = await server.identify(known, "customer-1")
        assert (again["joined"], again["conversation_id"]) == (True, conversation_id)
        known.session_id = known_before = secrets.token_hex(24)
        await server.identify(known, "customer-1")
        stranger = second.visitor(tenant.site_key, known_before)
        answer = await server.identify(stranger, "customer-2")
        assert (answer["joined"], answer["conversation_id"]) == (False, None)

        # A logout, by one of the person's devices.
        async with person.events() as stream:
            await stream.wait_for("ready")
            (await device.post("/end-session")).ok()
            await stream.wait_until_ended()
        await wait_until(partial(_has_ended, person))
        assert (await identify(person, server.sign("customer-1"))).status == 401
        assert (await known.get("/history")).ok()["conversation_id"] == conversation_id
    kept = (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    assert kept["mode"] != "closed"


async def test_a_sites_form_holds_at_every_replica(
    cluster: ReliabilityCluster, tenant: TenantFixture, replicas: list[ChatReplica]
) -> None:
    """Replicas that have cached the site ask for its new form, and know that it was answered at the other one."""
    alex, _ = await _get_callers(cluster, tenant)

    async def write(replica: ChatReplica, visitor: VisitorClient) -> int:
        caller = _visitor_caller(alex, tenant, visitor)
        status, _ = await replica.post(caller, "/chat/stream", {**visitor.credentials, "message": "Hello"})
        return status

    for replica in replicas:
        assert await write(replica, tenant.new_visitor()) == 200
    fields = [{"key": "name", "type": "name", "required": True}]
    forms = {"prechat": {"enabled": True, "fields": fields}}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/forms", forms)).ok()
    for replica in replicas:

        async def asks(replica: ChatReplica = replica) -> bool:
            return await write(replica, tenant.new_visitor()) == 422

        await wait_until(asks, description="the replica to ask for the form")
    for first, second in (replicas, reversed(replicas)):
        visitor = tenant.new_visitor()
        assert await write(second, visitor) == 422
        answers = {**visitor.credentials, "answers": {"name": "Jane"}}
        assert (await first.post(_visitor_caller(alex, tenant, visitor), "/chat/form", answers))[0] == 200
        assert await write(second, visitor) == 200


async def test_a_trigger_is_shown_once_by_all_replicas(
    cluster: ReliabilityCluster, tenant: TenantFixture, replicas: list[ChatReplica]
) -> None:
    trigger = {"name": "Pricing", "message": "Questions about our plans?", "enabled": True}
    trigger_id = (await tenant.owner.post(f"/sites/{tenant.site_id}/triggers", trigger)).ok(201)["trigger"]["id"]
    alex, _ = await _get_callers(cluster, tenant)

    async def show(replica: ChatReplica, visitor: VisitorClient) -> bool:
        body = {**visitor.credentials, "trigger_ids": [trigger_id]}
        status, reply = await replica.post(_visitor_caller(alex, tenant, visitor), "/chat/triggers/show", body)
        assert status == 200, reply
        return json.loads(reply)["trigger"] is not None

    for replica in replicas:
        await wait_until(lambda replica=replica: show(replica, tenant.new_visitor()))  # type: ignore[misc]
    for _ in range(5):
        visitor = tenant.new_visitor()
        shown = await asyncio.gather(*(show(replica, visitor) for replica in replicas for _ in range(3)))
        assert shown.count(True) == 1


async def test_viewers_are_seen_from_every_replica(
    cluster: ReliabilityCluster, tenant: TenantFixture, replicas: list[ChatReplica]
) -> None:
    _, conversation_id = await tenant.pending_conversation()
    alex, sam = await _get_callers(cluster, tenant)
    async with AsyncExitStack() as stack:
        streams = []
        for process in cluster.stack.processes("notify"):
            headers = {IDENTITY_HEADER: replicas[0].signer.sign(sam)}
            url = f"{process.url}/api/v1/operator/stream"
            response = await stack.enter_async_context(replicas[0].http.get(url, headers=headers))
            assert response.status == 200, await response.text()
            streams.append(await stack.enter_async_context(SseStream(response)))
        for stream in streams:
            await stream.wait_for("ready")
        for replica, state in zip(replicas, ("viewing", "writing"), strict=True):
            path = f"/operator/conversation/{conversation_id}/viewing"
            assert (await replica.post(alex, path, {"state": state}))[0] == 200
            for stream in streams:
                event = await stream.wait_for("conversation.viewers", partial(_has_state, state))
                assert event.data["data"]["operator"]["id"] == alex.operator_id


def _has_state(state: str, event: SseEvent) -> bool:
    return bool(event.data["data"]["state"] == state)


async def _get_callers(cluster: ReliabilityCluster, tenant: TenantFixture) -> tuple[OperatorCaller, OperatorCaller]:
    """Alex and Sam, as the gateway describes them to the services, with their newest access."""
    async with AsyncMongoClient[dict[str, Any]](cluster.mongo.uri) as client:
        prefix = cluster.stack.environment("chat")["PARLEY_DATABASE_PREFIX"]
        site = await client[f"{prefix}_chat"]["sites"].find_one({"_id": tenant.site_id})
    assert site is not None
    sites = {tenant.site_id: frozenset(Permission)}
    alex, sam = (
        OperatorCaller(operator.id, site["tenant_id"], name, sites, access_version=1_000)
        for operator, name in ((tenant.alex, "Alex"), (tenant.sam, "Sam"))
    )
    return alex, sam


def _visitor_caller(operator: OperatorCaller, tenant: TenantFixture, visitor: VisitorClient) -> VisitorCaller:
    return VisitorCaller(operator.tenant_id, tenant.site_id, session_handle(tenant.site_id, visitor.session_id))
