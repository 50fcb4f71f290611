"""Schema upgrades: services wait for the migration job, and keep serving while it upgrades an older database."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from parley.chat.migrations import MIGRATIONS as CHAT_MIGRATIONS
from parley.common.runtime.clock import utc_now
from parley.notify.migrations import MIGRATIONS as NOTIFY_MIGRATIONS
from parley_dev.stack import BACKEND_SERVICES, Stack
from support.api import ApiClient
from support.infrastructure import NO_RATE_LIMITS, Infrastructure
from support.load import LoadGenerator
from support.tenants import TenantFixture
from support.wait import wait_until

OLD_CONVERSATIONS = 1_200
Database = AsyncDatabase[dict[str, Any]]


async def parley(stack: Stack, *arguments: str) -> tuple[int, str, str]:
    """Run the administrators' command with the environment of the job's container. Returns code, output and logs."""
    own = {name: stack.environment("chat")[name] for name in ("MONGODB_URI", "PARLEY_DATABASE_PREFIX")}
    base = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("parley")),
        *arguments,
        env={**base, **own},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def old_conversation(number: int, tenant: TenantFixture, handler: int) -> dict[str, Any]:
    """Build a closed conversation as the version before `handled_by` stored it."""
    at = utc_now() - timedelta(days=30, seconds=number)
    person = {"id": handler, "name": "Alex"}
    visitor: dict[str, Any] = {
        "session": f"sess_{secrets.token_hex(16)}",
        "name": None,
        "email": None,
        "phone": None,
        "info": {},
    }
    of_site = {"tenant_id": 0, "site_id": tenant.site_id}
    return {
        "_id": 10**9 + number,
        **of_site,
        "visitor_key": f"{tenant.site_id}:{visitor['session']}",
        "visitor": {**visitor, **of_site, "language": None, "blocked": None, "version": 0},
        "open": False,
        "mode": "closed",
        "generation": 2,
        "operator": None,
        "last_seq": 0,
        "last_message": None,
        "unread_seqs": [],
        "operator_read_seq": 0,
        "visitor_read_seq": 0,
        "waiting_since": None,
        "due_at": None,
        "answer_due": None,
        "misses": 0,
        "previous_id": None,
        "translation": {"enabled": False, "lang": None, "operator_lang": None, "supported": True, "version": 0},
        "rating": None,
        "rating_comment": None,
        "rated_at": None,
        "recent_ids": [],
        "history": [
            {"at": at, "action": "accepted", "by": person, "to": None},
            {"at": at, "action": "closed", "by": person, "to": None},
        ],
        "words": [],
        "created_at": at,
        "updated_at": at,
        "version": 3,
        "outbox": [],
    }


@pytest.fixture(scope="module")
async def waiting_stack(
    infrastructure: Infrastructure, mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """A stack whose services wait for the migration job."""
    directory = tmp_path_factory.mktemp("upgrade")
    env = {"gateway": NO_RATE_LIMITS, **{service: {"PARLEY_SCHEMA": "wait"} for service in BACKEND_SERVICES}}
    async with infrastructure.broker(directory) as amqp_url:
        stack = Stack(
            mongodb_uri=mongodb_uri,
            amqp_url=amqp_url,
            directory=directory,
            database_prefix=f"t{secrets.token_hex(4)}",
            env=env,
            spawn=infrastructure.spawn,
        )
        try:
            await stack.start()
            yield stack
        finally:
            await stack.stop()


@pytest.fixture
async def own_stack(waiting_stack: Stack) -> Stack:
    """The stack, ready: after the migration job."""
    status, _, logs = await parley(waiting_stack, "schema", "migrate")
    assert status == 0, logs
    await waiting_stack.wait_ready()
    return waiting_stack


@pytest.fixture
async def chat_database(own_stack: Stack) -> AsyncIterator[Database]:
    environment = own_stack.environment("chat")
    async with AsyncMongoClient[dict[str, Any]](environment["MONGODB_URI"], tz_aware=True) as client:
        yield client[f"{environment['PARLEY_DATABASE_PREFIX']}_chat"]


async def downgrade(database: Database, tenant: TenantFixture) -> None:
    """Add old conversations, and remove the field, its index and the schema version."""
    site = await database["sites"].find_one({"_id": tenant.site_id})
    assert site is not None
    old = [
        {
            **old_conversation(number, tenant, tenant.alex.id if number % 2 else tenant.sam.id),
            "tenant_id": site["tenant_id"],
        }
        for number in range(OLD_CONVERSATIONS)
    ]
    await database["conversations"].insert_many(old)
    await database["conversations"].update_many({}, {"$unset": {"handled_by": ""}})
    await database["conversations"].drop_index("handled")
    await database["schema"].drop()


async def test_services_wait_until_the_job_is_done(waiting_stack: Stack) -> None:
    async with aiohttp.ClientSession() as http:
        for service in BACKEND_SERVICES:
            waiting = partial(_is_waiting, http, waiting_stack, service)
            await wait_until(waiting, timeout=30, description=f"{service} to wait")
    status, _, logs = await parley(waiting_stack, "schema", "migrate")
    assert status == 0, logs
    await waiting_stack.wait_ready()


async def _is_waiting(http: aiohttp.ClientSession, stack: Stack, service: str) -> bool:
    try:
        async with http.get(f"{stack.processes(service)[0].internal_url}/readyz") as response:
            readiness = await response.json()
    except aiohttp.ClientConnectionError:
        return False
    migrations = {"chat": CHAT_MIGRATIONS, "notify": NOTIFY_MIGRATIONS}.get(service, ())
    return f"waits for schema {len(migrations)}, the database has 0" in readiness["faults"].get("mongodb", "")


@pytest.mark.timeout(240)
async def test_an_older_database_is_upgraded_while_chat_keeps_serving(
    own_stack: Stack, mongodb_uri: str, chat_database: Database
) -> None:
    async with ApiClient(own_stack.gateway_url) as api:
        tenant = await TenantFixture.create(api, own_stack, mongodb_uri)
        load = LoadGenerator(tenant)
        try:
            await load.start(3)
            await load.wait_acknowledged(10)
            await downgrade(chat_database, tenant)
            status, out, _ = await parley(own_stack, "schema", "status", "--service", "chat", "--json")
            schema = json.loads(out)["chat"]
            assert (status, schema["version"], schema["missing_indexes"]) == (1, 0, ["conversations.handled"])
            before = len(load.acknowledged)
            status, out, logs = await parley(own_stack, "schema", "migrate", "--service", "chat")
            assert (status, out) == (0, "chat: up to date\n"), logs
            assert "migration_done" in logs
            assert len(load.acknowledged) > before, "messages were accepted during the migration"
            await load.wait_acknowledged(10)
            await load.stop()
            await load.check()
            await load.check_streams()
        finally:
            await load.close()
        await _check_lists(tenant, chat_database, load)
    assert await chat_database["conversations"].count_documents({"handled_by": {"$exists": False}}) == 0
    status, out, _ = await parley(own_stack, "schema", "status")
    assert status == 0
    assert out.count("up to date") == len(BACKEND_SERVICES)


async def _check_lists(tenant: TenantFixture, database: Database, load: LoadGenerator) -> None:
    path = f"/sites/{tenant.site_id}/conversations"
    for operator, count in (
        (tenant.alex, OLD_CONVERSATIONS // 2 + len(load.conversations)),
        (tenant.sam, OLD_CONVERSATIONS // 2),
    ):
        listed = (await tenant.owner.get(path, operator_id=operator.id, page=1, per_page=1)).ok()
        assert listed["pagination"]["total"] == count
    plan = await database.command(
        "explain",
        {
            "find": "conversations",
            "filter": {"tenant_id": 1, "site_id": tenant.site_id, "handled_by": tenant.alex.id},
            "sort": {"created_at": -1, "_id": -1},
        },
    )
    assert "handled" in str(plan["queryPlanner"]["winningPlan"])
