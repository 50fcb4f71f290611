"""A database as the version before left it is brought up by the job, beside services that go on serving."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from conftest import RELAXED, started_stack
from parley.common.runtime.clock import utc_now
from parley_dev.stack import BACKEND_SERVICES, Stack
from support.api import ApiClient
from support.brokers import broker_apart
from support.load import LoadGenerator
from support.tenants import TenantFixture
from support.wait import wait_until

OLD = 3_000
Database = AsyncDatabase[dict[str, Any]]


async def parley(stack: Stack, *words: str) -> tuple[int, str, str]:
    """The administrators' command, with the environment that the job's container has."""
    own = {name: stack.environment("chat")[name] for name in ("MONGODB_URI", "PARLEY_DATABASE_PREFIX")}
    base = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("parley")),
        *words,
        env={**base, **own},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def as_before(number: int, tenant: TenantFixture, handler: int) -> dict[str, Any]:
    """A closed conversation as the version before `handled_by` wrote it."""
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


@pytest.fixture
async def own_stack(servers: tuple[str, str], tmp_path: Path) -> AsyncIterator[Stack]:
    async for started in started_stack(servers, tmp_path, 1):
        yield started


@pytest.fixture
async def chat_database(own_stack: Stack) -> AsyncIterator[Database]:
    environment = own_stack.environment("chat")
    async with AsyncMongoClient[dict[str, Any]](environment["MONGODB_URI"], tz_aware=True) as client:
        yield client[f"{environment['PARLEY_DATABASE_PREFIX']}_chat"]


async def left_by_the_version_before(database: Database, tenant: TenantFixture) -> None:
    """Old conversations beside the new ones, no field, no index for it, and no word of any schema."""
    site = await database["sites"].find_one({"_id": tenant.site_id})
    assert site is not None
    old = [
        {**as_before(number, tenant, tenant.alex.id if number % 2 else tenant.sam.id), "tenant_id": site["tenant_id"]}
        for number in range(OLD)
    ]
    await database["conversations"].insert_many(old)
    await database["conversations"].update_many({}, {"$unset": {"handled_by": ""}})
    await database["conversations"].drop_index("handled")
    await database["schema"].drop()


@pytest.mark.timeout(240)
async def test_the_version_befores_database_is_brought_up_beside_a_serving_chat(
    own_stack: Stack, servers: tuple[str, str], chat_database: Database
) -> None:
    async with ApiClient(own_stack.gateway_url) as api:
        tenant = await TenantFixture.create(api, own_stack, servers[0])
        load = LoadGenerator(tenant)
        try:
            await load.start(3)
            await load.wait_acknowledged(10)
            await left_by_the_version_before(chat_database, tenant)
            status, out, _ = await parley(own_stack, "schema", "status", "--service", "chat", "--json")
            before = json.loads(out)["chat"]
            assert (status, before["version"], before["missing_indexes"]) == (1, 0, ["conversations.handled"])
            written = len(load.acknowledged)
            status, out, logs = await parley(own_stack, "schema", "migrate", "--service", "chat")
            assert (status, out) == (0, "chat: up to date\n"), logs
            assert "migration_done" in logs
            assert len(load.acknowledged) > written, "it was served all the while"
            await load.wait_acknowledged(10)
            await load.stop()
            await load.check()
            await load.check_streams()
        finally:
            await load.close()
        await _everything_is_listed(tenant, chat_database, load)
    assert await chat_database["conversations"].count_documents({"handled_by": {"$exists": False}}) == 0
    status, out, _ = await parley(own_stack, "schema", "status")
    assert status == 0
    assert out.count("up to date") == len(BACKEND_SERVICES)


async def _everything_is_listed(tenant: TenantFixture, database: Database, load: LoadGenerator) -> None:
    path = f"/sites/{tenant.site_id}/conversations"
    for operator, held in ((tenant.alex, OLD // 2 + len(load.conversations)), (tenant.sam, OLD // 2)):
        found = (await tenant.owner.get(path, operator_id=operator.id, page=1, per_page=1)).ok()
        assert found["pagination"]["total"] == held
    plan = await database.command(
        "explain",
        {
            "find": "conversations",
            "filter": {"tenant_id": 1, "site_id": tenant.site_id, "handled_by": tenant.alex.id},
            "sort": {"created_at": -1, "_id": -1},
        },
    )
    assert "handled" in str(plan["queryPlanner"]["winningPlan"])


async def test_services_told_to_wait_are_ready_when_the_job_is_done(
    servers: tuple[str, str], tmp_path: Path, database_prefix: str
) -> None:
    environment: Mapping[str, Mapping[str, str]] = {
        "gateway": RELAXED,
        **{service: {"PARLEY_SCHEMA": "wait"} for service in BACKEND_SERVICES},
    }
    async with broker_apart(servers[1], tmp_path) as amqp_url:
        stack = Stack(
            mongodb_uri=servers[0],
            amqp_url=amqp_url,
            directory=tmp_path,
            database_prefix=database_prefix,
            env=environment,
        )
        try:
            await stack.start()
            async with aiohttp.ClientSession() as http:
                for service in BACKEND_SERVICES:
                    await wait_until(partial(_waits, http, stack, service), timeout=30, description=f"{service} waits")
                status, _, logs = await parley(stack, "schema", "migrate")
                assert status == 0, logs
                await stack.wait_ready()
        finally:
            await stack.stop()


async def _waits(http: aiohttp.ClientSession, stack: Stack, service: str) -> bool:
    try:
        async with http.get(f"{stack.processes(service)[0].internal_url}/readyz") as response:
            found = await response.json()
    except aiohttp.ClientConnectionError:
        return False
    wanted = 1 if service == "chat" else 0
    return f"waits for schema {wanted}, the database has 0" in found["faults"].get("mongodb", "")
