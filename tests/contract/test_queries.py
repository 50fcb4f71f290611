"""Lists are answered from indexes: MongoDB's profiler records every query of the services."""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from parley.chat.knowledge_gaps.model import UnansweredQuestion
from parley.chat.knowledge_gaps.repository import MongoGapRepository
from parley.common.mongodb import Mongo
from parley.common.runtime.clock import to_rfc3339, utc_now
from parley_dev.stack import Stack
from support.api import ApiClient, OperatorClient
from support.tenants import TenantFixture
from support.wait import wait_until

SERVICES = ("chat", "presence", "notify", "translate")
ROWS = 400
PAGE_SIZE = 20
MAX_EXAMINED = 4 * (PAGE_SIZE + 1)
"""Keys or documents examined for a page."""

PERIODIC_TASKS_SECONDS = 2.5
"""Time in which every periodic task of the services queries the database at least once."""

_IN_AN_HOUR = to_rfc3339(utc_now() + timedelta(hours=1))

Database = AsyncDatabase[dict[str, Any]]


@pytest.fixture(scope="module")
async def databases(stack: Stack, mongodb_uri: str) -> AsyncIterator[dict[str, Database]]:
    prefix = stack.environment("chat")["PARLEY_DATABASE_PREFIX"]
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client:
        yield {service: client[f"{prefix}_{service}"] for service in SERVICES}


@pytest.fixture(scope="module")
async def large_tenant(stack: Stack, api: ApiClient, mongodb_uri: str, databases: dict[str, Database]) -> TenantFixture:
    """A tenant with many rows in every list: one document created through the API, and copies of it."""
    tenant = await TenantFixture.create(api, stack, mongodb_uri)
    visitor = tenant.new_visitor()
    waiting = (await visitor.send_message("Is anybody there?", lang="de-AT"))["conversation_id"]
    (await visitor.post("/handoff")).ok()
    label = (await tenant.owner.post("/labels", {"name": "Bug", "scope": "all"})).ok(201)["label"]
    (await tenant.alex.send("PUT", f"/operator/conversation/{waiting}/labels", {"labels": [label["id"]]})).ok()
    (await visitor.post("/contact", name="Jane", email="jane@example.com")).ok()
    (await visitor.post("/rate", score=4)).ok()
    (await visitor.post("/heartbeat", page="https://shop.test/")).ok()
    blocked = {"blocked": True, "block_type": "ai"}
    (await tenant.alex.post(f"/operator/conversation/{waiting}/block", blocked)).ok()
    entry = {"question": "Are you open?", "answer": "We are."}
    (await tenant.owner.post(f"/sites/{tenant.site_id}/chatbot/knowledge", entry)).ok(201)
    files = {"kind": "file", "name": "Manuals"}
    (await tenant.owner.post(f"/sites/{tenant.site_id}/knowledge/sources", files)).ok(201)
    (await tenant.owner.post(f"/sites/{tenant.site_id}/chatbot/tests", {"question": "Are you open?"})).ok(201)
    chat, presence = databases["chat"], databases["presence"]
    no_events: dict[str, Any] = {"outbox": []}
    await wait_until(lambda: chat["messages"].find_one({"conversation_id": waiting}))
    times = ("queue_at", "created_at", "rated_at")
    await _copy_document(chat, "conversations", {"_id": waiting}, no_events, times)
    (await tenant.alex.send("PUT", f"/operator/conversation/{waiting}/snooze", {"until": _IN_AN_HOUR})).ok()
    await _copy_document(
        chat, "conversations", {"_id": waiting}, no_events, ("snoozed_until", "created_at"), first_id=2 * 10**9
    )
    (await tenant.alex.send("DELETE", f"/operator/conversation/{waiting}/snooze")).ok()
    await _copy_document(chat, "visitors", {"site_id": tenant.site_id}, no_events, ("lead_at", "blocked_at"))
    await _copy_document(chat, "messages", {"conversation_id": waiting, "seq": 1}, {}, ())
    await _copy_document(chat, "knowledge", {"site_id": tenant.site_id}, no_events, ())
    await _copy_document(chat, "knowledge_sources", {"site_id": tenant.site_id}, {}, ())
    tenant_id = await _tenant(chat, tenant)
    asked = UnansweredQuestion(
        tenant_id, tenant.site_id, waiting, 1, "How far is the moon?", "en", "declined", utc_now()
    )
    await MongoGapRepository(cast("Mongo", chat)).add(10**8, asked, None, "")
    await _copy_document(chat, "knowledge_gaps", {"site_id": tenant.site_id}, {}, ("last_asked_at",))
    await _copy_document(chat, "answer_tests", {"site_id": tenant.site_id}, {}, ())
    await _copy_document(chat, "operators", {"_id": tenant.sam.id}, no_events, ())
    await _copy_document(chat, "audit", {"tenant_id": await _tenant(chat, tenant)}, {}, ("at",))
    online = {"site_id": tenant.site_id, "online": True}
    unexpired = {**no_events, "expires_at": utc_now() + timedelta(hours=1)}
    await wait_until(lambda: presence["visitors"].find_one(online))
    indexed = {"kind": "visitor", "site_id": tenant.site_id}
    await wait_until(lambda: chat["search_documents"].find_one(indexed))
    await _copy_document(chat, "search_documents", indexed, {}, ("at",))
    await _copy_document(presence, "visitors", online, unexpired, ("since",))
    return tenant


async def _tenant(chat: Database, tenant: TenantFixture) -> int:
    site = await chat["sites"].find_one({"_id": tenant.site_id})
    assert site is not None
    return int(site["tenant_id"])


async def _copy_document(
    database: Database,
    name: str,
    which: dict[str, Any],
    changed: dict[str, Any],
    times: tuple[str, ...],
    first_id: int = 10**9,
) -> None:
    """Insert copies of one document, each with its own id, keys and times."""
    model = await database[name].find_one(which)
    assert model is not None, name
    copies = []
    for number in range(1, ROWS + 1):
        one = {**copy.deepcopy(model), **changed, "_id": _copied_id(model["_id"], first_id, number)}
        for field in times:
            one[field] = model[field] - timedelta(seconds=number)
        for unique in ("visitor_key", "email", "session"):
            if unique in one:
                one[unique] = f"{uuid.uuid4().hex}@copy.test"
        if "seq" in one:
            one["seq"] = model["seq"] + 1000 + number
        copies.append(one)
    await database[name].insert_many(copies)


def _copied_id(key: Any, first_id: int, number: int) -> Any:
    return first_id + number if isinstance(key, int) else f"{key[:-8]}{number:08x}" if isinstance(key, str) else key


async def _count_rows(operator: OperatorClient, path: str, rows: str, **query: Any) -> int:
    """Read all pages of a list. Returns the number of rows."""
    count = 0
    cursor: str | None = None
    for _ in range(ROWS):
        parameters = {"cursor": cursor} if cursor else {}
        page = (await operator.get(path, limit=PAGE_SIZE, **query, **parameters)).ok()
        count += len(page[rows])
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    return count


async def _read_all_lists(tenant: TenantFixture) -> None:
    alex, owner, site_id = tenant.alex, tenant.owner, tenant.site_id
    site = f"/sites/{site_id}"
    assert (
        await _count_rows(alex, "/operator/active-chats", "chats", site_id=site_id, status="pending,active,ai") > ROWS
    )
    assert await _count_rows(alex, "/operator/all-active-chats", "chats") > ROWS
    label_id = (await alex.get("/labels")).ok()["labels"][0]["id"]
    for filter_ in ({"label_id": label_id}, {"language": "de"}, {"rating": 4, "label_id": label_id}, {"waiting": 0}):
        assert await _count_rows(alex, "/operator/all-active-chats", "chats", **filter_) > ROWS
    assert await _count_rows(alex, "/operator/all-active-chats", "chats", status="snoozed") >= ROWS
    assert await _count_rows(alex, "/operator/all-active-chats", "chats", operator_id=alex.id) == 0
    assert await _count_rows(alex, "/operator/all-active-chats", "chats", search="jane") > 0
    assert await _count_rows(alex, "/operator/all-active-chats", "chats", search="there") > 0
    for filter_ in ({"label_id": label_id}, {"language": "de"}, {"rating": 4, "status": "pending"}):
        assert await _count_rows(alex, f"{site}/conversations", "conversations", **filter_) > ROWS
    for status in ("pending", "snoozed", "closed"):
        view = {"name": status, "filter": {"status": status, "site_id": site_id, "label_id": label_id}}
        (await alex.post("/views", view)).ok(201)
    counted = (await alex.get("/views/counts")).ok()["counts"]
    assert [(row["count"], row["capped"]) for row in counted] == [(100, True), (100, True), (0, False)]
    assert await _count_rows(alex, "/operator/blocked", "visitors", site_id=site_id) > ROWS
    assert await _count_rows(alex, "/operator/online-visitors", "visitors", site_id=site_id) > ROWS
    assert await _count_rows(alex, "/operator/all-online-visitors", "visitors") > ROWS
    assert await _count_rows(alex, f"{site}/conversations", "conversations") > ROWS
    assert await _count_rows(alex, f"{site}/conversations", "conversations", status="pending") > ROWS
    assert await _count_rows(alex, f"{site}/conversations", "conversations", search="jane") > 0
    assert await _count_rows(alex, f"{site}/conversations", "conversations", search="there") > 0
    assert await _count_rows(alex, f"{site}/conversations", "conversations", since="2020-01-01T00:00:00Z") > ROWS
    assert await _count_rows(alex, f"{site}/conversations", "conversations", operator_id=owner.id) == 0
    assert await _count_rows(alex, f"{site}/conversations", "conversations", status="ai") == 0
    assert await _count_rows(alex, "/operator/search", "hits", q='"jane"') > ROWS
    assert await _count_rows(alex, "/operator/search", "hits", q='"hello there"', site_id=site_id) == 0
    assert await _count_rows(alex, f"{site}/leads", "leads") > ROWS
    assert await _count_rows(alex, f"{site}/ratings", "ratings") > ROWS
    assert await _count_rows(owner, "/team", "team") > ROWS
    assert await _count_rows(owner, f"{site}/team", "team") > ROWS
    assert await _count_rows(owner, f"{site}/chatbot/knowledge", "knowledge") > ROWS
    assert await _count_rows(owner, f"{site}/knowledge/sources", "sources") > ROWS
    assert await _count_rows(owner, f"{site}/chatbot/tests", "tests") > ROWS
    assert await _count_rows(owner, f"{site}/knowledge-gaps", "gaps") > ROWS
    assert await _count_rows(owner, "/audit", "entries") > ROWS
    assert await _count_rows(owner, "/audit", "entries", action="member.created") > 0
    assert await _count_rows(owner, "/audit", "entries", operator_id=owner.id, site_id=site_id) >= 0
    for group_by in ("day", "operator", "site"):
        period = {"from": "2026-01-01", "to": "2026-12-31", "timezone": "Asia/Kathmandu"}
        (await owner.get("/reports", group_by=group_by, **period)).ok()
    assert await _count_rows(owner, "/sites", "sites") == 1
    assert await _count_rows(owner, "/api-keys", "api_keys") == 0
    for path in ("/operator/all-chat-counts", f"{site}/ratings/stats", f"{site}/my-access", "/auth/me"):
        (await owner.get(path)).ok()
    (await alex.get("/operator/operators", site_id=site_id)).ok()
    (await alex.get("/operator/status")).ok()


async def _run_conversation(tenant: TenantFixture) -> None:
    """Run the main use case once, to record its queries too."""
    visitor, conversation_id = await tenant.pending_conversation("Are you open?")
    (await visitor.post("/heartbeat", page="https://shop.test/cart")).ok()
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()
    await tenant.alex.send_message(conversation_id, "Hello")
    for path in ("/history", "/operator-messages", "/pending-proactive", "/block-status", "/config"):
        (await visitor.get(path)).ok()
    assert (await visitor.get("/transcript")).status == 200
    (await tenant.alex.get(f"/operator/conversation/{conversation_id}")).ok()
    (await tenant.alex.get(f"/conversations/{conversation_id}/messages", before_seq=2)).ok()
    body = {"conversation_id": conversation_id, "enabled": True}
    (await tenant.alex.post("/operator/translation/toggle", body)).ok()
    (await tenant.alex.post(f"/operator/transfer/{conversation_id}", {"operator_id": tenant.sam.id})).ok()
    (await tenant.sam.post(f"/operator/close/{conversation_id}")).ok()
    (await tenant.alex.post("/operator/fcm-token", {"token": "d" * 140})).ok()
    async with tenant.sam.stream() as stream:
        await stream.wait_for("ready")
    _, erased_id = await tenant.pending_conversation("Forget me")
    erased = (await tenant.alex.get(f"/operator/conversation/{erased_id}")).ok()["conversation"]["visitor"]
    subject = {"site_id": tenant.site_id, "session_id": erased["session_id"]}
    (await tenant.owner.get("/operator/visitor/export", **subject)).ok()
    (await tenant.owner.post("/operator/visitor/erase", subject)).ok()
    (await tenant.owner.send("PUT", f"/team/{tenant.sam.id}", {"suspended": True})).ok()


@pytest.fixture(scope="module")
async def profiled(large_tenant: TenantFixture, databases: dict[str, Database]) -> list[dict[str, Any]]:
    """The profiler's entries of the services' operations while everything is read.

    Other tests use the same databases meanwhile: what they query directly is left out.
    """
    for database in databases.values():
        await database.command({"profile": 2})
    try:
        await _run_conversation(large_tenant)
        # Periodic tasks run without a request, also while the lists are read.
        await asyncio.gather(_read_all_lists(large_tenant), asyncio.sleep(PERIODIC_TASKS_SECONDS))
    finally:
        for database in databases.values():
            await database.command({"profile": 0})
    by_services = {"ns": {"$not": {"$regex": r"\.system\."}}, "appName": {"$regex": "^parley-"}}
    entries = [entry for database in databases.values() async for entry in database["system.profile"].find(by_services)]
    for database in databases.values():
        await database.drop_collection("system.profile")
    return entries


async def test_no_query_scans_a_collection(profiled: list[dict[str, Any]]) -> None:
    assert len({entry["ns"] for entry in profiled}) > 10, "the profiler has recorded the services"
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
        # The results of a text search are sorted by their score, which is in no index.
        if entry.get("hasSortStage") and entry["docsExamined"] > MAX_EXAMINED and "$text" not in str(entry["command"])
    }
    assert not sorts, "\n".join(sorted(sorts))


async def test_later_pages_cost_no_more_than_the_first(profiled: list[dict[str, Any]]) -> None:
    """The documents examined for a page depend on the page's size, not on the rows before it."""
    costly = {
        f"{entry['ns']}: {entry['keysExamined']} keys for {entry['nreturned']} rows: {str(entry['command'])[:400]}"
        for entry in profiled
        if entry.get("command", {}).get("limit") == PAGE_SIZE + 1
        and max(entry["keysExamined"], entry["docsExamined"]) > MAX_EXAMINED
    }
    assert not costly, "\n".join(sorted(costly))
