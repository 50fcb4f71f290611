"""Lists are answered from indexes: MongoDB's own profiler watches every query that the services make."""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from parley.common.runtime.clock import utc_now
from parley_dev.stack import Stack
from support.api import ApiClient, OperatorClient
from support.tenants import TenantFixture
from support.wait import wait_until

SERVICES = ("chat", "presence", "notify", "translate")
MANY = 400
PAGE = 20
MOST = 4 * (PAGE + 1)
"""Keys or documents looked at for a page."""

SWEEPS_SECONDS = 2.5
"""In which every sweep of the services has looked for what is due, at least once."""

Database = AsyncDatabase[dict[str, Any]]


@pytest.fixture(scope="module")
async def databases(stack: Stack, mongodb_uri: str) -> AsyncIterator[dict[str, Database]]:
    prefix = stack.environment("chat")["PARLEY_DATABASE_PREFIX"]
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client:
        yield {service: client[f"{prefix}_{service}"] for service in SERVICES}


@pytest.fixture(scope="module")
async def crowded(stack: Stack, api: ApiClient, mongodb_uri: str, databases: dict[str, Database]) -> TenantFixture:
    """A tenant with many of everything: what the API made once, copied."""
    tenant = await TenantFixture.create(api, stack, mongodb_uri)
    visitor, waiting = await tenant.pending_conversation()
    (await visitor.post("/contact", name="Jane", email="jane@example.com")).ok()
    (await visitor.post("/rate", score=4)).ok()
    (await visitor.post("/heartbeat", page="https://shop.test/")).ok()
    blocked = {"blocked": True, "block_type": "ai"}
    (await tenant.alex.post(f"/operator/conversation/{waiting}/block", blocked)).ok()
    entry = {"question": "Are you open?", "answer": "We are."}
    (await tenant.owner.post(f"/sites/{tenant.site_id}/chatbot/knowledge", entry)).ok(201)
    chat, presence = databases["chat"], databases["presence"]
    quiet: dict[str, Any] = {"outbox": []}
    await wait_until(lambda: chat["messages"].find_one({"conversation_id": waiting}))
    await _multiply(
        chat, "conversations", {"_id": waiting}, {**quiet, "open": False}, ("queue_at", "created_at", "rated_at")
    )
    await _multiply(chat, "visitors", {"site_id": tenant.site_id}, quiet, ("lead_at", "blocked_at"))
    await _multiply(chat, "messages", {"conversation_id": waiting, "seq": 1}, {}, ())
    await _multiply(chat, "knowledge", {"site_id": tenant.site_id}, quiet, ())
    await _multiply(chat, "operators", {"_id": tenant.sam.id}, quiet, ())
    await _multiply(chat, "audit", {"tenant_id": await _tenant(chat, tenant)}, {}, ("at",))
    online = {"site_id": tenant.site_id, "online": True}
    lasting = {**quiet, "expires_at": utc_now() + timedelta(hours=1)}
    await wait_until(lambda: presence["visitors"].find_one(online))
    await _multiply(presence, "visitors", online, lasting, ("since",))
    return tenant


async def _tenant(chat: Database, tenant: TenantFixture) -> int:
    site = await chat["sites"].find_one({"_id": tenant.site_id})
    assert site is not None
    return int(site["tenant_id"])


async def _multiply(
    database: Database, name: str, which: dict[str, Any], changed: dict[str, Any], times: tuple[str, ...]
) -> None:
    """Copies of one document, each with an id, a key and moments of its own."""
    model = await database[name].find_one(which)
    assert model is not None, name
    copies = []
    for number in range(1, MANY + 1):
        one = {**copy.deepcopy(model), **changed, "_id": _another(model["_id"], number)}
        for field in times:
            one[field] = model[field] - timedelta(seconds=number)
        for unique in ("visitor_key", "email", "session"):
            if unique in one:
                one[unique] = f"{uuid.uuid4().hex}@copy.test"
        if "seq" in one:
            one["seq"] = model["seq"] + 1000 + number
        copies.append(one)
    await database[name].insert_many(copies)


def _another(key: Any, number: int) -> Any:
    return 10**9 + number if isinstance(key, int) else f"{key[:-8]}{number:08x}" if isinstance(key, str) else key


async def _pages(operator: OperatorClient, path: str, rows: str, **query: Any) -> int:
    """Read a list to its end, page by page; how many rows it had."""
    seen = 0
    cursor: str | None = None
    for _ in range(MANY):
        more = {"cursor": cursor} if cursor else {}
        page = (await operator.get(path, limit=PAGE, **query, **more)).ok()
        seen += len(page[rows])
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    return seen


async def _read_everything(tenant: TenantFixture) -> None:
    alex, owner, site_id = tenant.alex, tenant.owner, tenant.site_id
    site = f"/sites/{site_id}"
    assert await _pages(alex, "/operator/active-chats", "chats", site_id=site_id, status="pending,active,ai") > MANY
    assert await _pages(alex, "/operator/all-active-chats", "chats") > MANY
    assert await _pages(alex, "/operator/blocked", "visitors", site_id=site_id) > MANY
    assert await _pages(alex, "/operator/online-visitors", "visitors", site_id=site_id) > MANY
    assert await _pages(alex, "/operator/all-online-visitors", "visitors") > MANY
    assert await _pages(alex, f"{site}/conversations", "conversations") > MANY
    assert await _pages(alex, f"{site}/conversations", "conversations", status="pending") > MANY
    assert await _pages(alex, f"{site}/conversations", "conversations", search="jane") > 0
    assert await _pages(alex, f"{site}/conversations", "conversations", since="2020-01-01T00:00:00Z") > MANY
    assert await _pages(alex, f"{site}/conversations", "conversations", operator_id=alex.id) == 0
    assert await _pages(alex, f"{site}/conversations", "conversations", status="ai") == 0
    assert await _pages(alex, f"{site}/leads", "leads") > MANY
    assert await _pages(alex, f"{site}/ratings", "ratings") > MANY
    assert await _pages(owner, "/team", "team") > MANY
    assert await _pages(owner, f"{site}/team", "team") > MANY
    assert await _pages(owner, f"{site}/chatbot/knowledge", "knowledge") > MANY
    assert await _pages(owner, "/audit", "entries") > MANY
    assert await _pages(owner, "/audit", "entries", action="member.created") > 0
    assert await _pages(owner, "/audit", "entries", operator_id=owner.id, site_id=site_id) >= 0
    assert await _pages(owner, "/sites", "sites") == 1
    assert await _pages(owner, "/api-keys", "api_keys") == 0
    for path in ("/operator/all-chat-counts", f"{site}/ratings/stats", f"{site}/my-access", "/auth/me"):
        (await owner.get(path)).ok()
    (await alex.get("/operator/operators", site_id=site_id)).ok()
    (await alex.get("/operator/status")).ok()


async def _talk(tenant: TenantFixture) -> None:
    """The main job once, so that its queries are seen as well."""
    visitor, conversation_id = await tenant.pending_conversation("Are you open?")
    (await visitor.post("/heartbeat", page="https://shop.test/cart")).ok()
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()
    await tenant.alex.send_message(conversation_id, "Hello")
    for path in ("/history", "/operator-messages", "/pending-proactive", "/block-status", "/config"):
        (await visitor.get(path)).ok()
    (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()
    (await tenant.alex.get(f"/conversations/{conversation_id}/messages", before_seq=2)).ok()
    body = {"conversation_id": conversation_id, "enabled": True}
    (await tenant.alex.post("/operator/translation/toggle", body)).ok()
    (await tenant.alex.post(f"/operator/transfer/{conversation_id}", {"operator_id": tenant.sam.id})).ok()
    (await tenant.sam.post(f"/operator/close/{conversation_id}")).ok()
    (await tenant.alex.post("/operator/fcm-token", {"token": "d" * 140})).ok()
    async with tenant.sam.stream() as stream:
        await stream.wait_for("ready")
    (await tenant.owner.send("PUT", f"/team/{tenant.sam.id}", {"suspended": True})).ok()


@pytest.fixture(scope="module")
async def profiled(crowded: TenantFixture, databases: dict[str, Database]) -> list[dict[str, Any]]:
    """What MongoDB wrote down of every operation while everything was read."""
    for database in databases.values():
        await database.command({"profile": 2})
    try:
        await _read_everything(crowded)
        await _talk(crowded)
        # The sweeps run by themselves.
        await asyncio.sleep(SWEEPS_SECONDS)
    finally:
        for database in databases.values():
            await database.command({"profile": 0})
    found = [
        entry
        for database in databases.values()
        async for entry in database["system.profile"].find({"ns": {"$not": {"$regex": r"\.system\."}}})
    ]
    for database in databases.values():
        await database.drop_collection("system.profile")
    return found


async def test_no_query_scans_a_collection(profiled: list[dict[str, Any]]) -> None:
    assert len({entry["ns"] for entry in profiled}) > 10, "the profiler has seen the services at work"
    scans = {
        f"{entry['ns']}: {str(entry.get('command'))[:300]}"
        for entry in profiled
        if "COLLSCAN" in entry.get("planSummary", "")
    }
    assert not scans, "\n".join(sorted(scans))


async def test_no_long_list_is_sorted_in_memory(profiled: list[dict[str, Any]]) -> None:
    sorts = {
        f"{entry['ns']}: {str(entry.get('command'))[:400]}"
        for entry in profiled
        # The best few answers of a text search are sorted by how well they fit, which no index knows.
        if entry.get("hasSortStage") and entry["docsExamined"] > MOST and "$text" not in str(entry["command"])
    }
    assert not sorts, "\n".join(sorted(sorts))


async def test_a_page_far_down_costs_no_more_than_the_first(profiled: list[dict[str, Any]]) -> None:
    """What is examined for a page depends on the page's size, not on what stands before it."""
    costly = {
        f"{entry['ns']}: {entry['keysExamined']} keys for {entry['nreturned']} rows: {str(entry['command'])[:400]}"
        for entry in profiled
        if entry.get("command", {}).get("limit") == PAGE + 1
        and max(entry["keysExamined"], entry["docsExamined"]) > MOST
    }
    assert not costly, "\n".join(sorted(costly))
