"""Schemas are brought up once, whoever is at it and whoever dies, and beside code of other versions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from parley.common.mongodb import (
    Document,
    Index,
    Migration,
    MigrationContext,
    Mongo,
    Phase,
    Schema,
    SchemaError,
    SchemaNotReady,
)
from parley.common.mongodb.migration_state import MigrationStateStore
from parley.common.mongodb.schema_gate import Mode
from support.migration_job import COLOUR_INDEX, LEASE, SCHEMA, add_colour, create_migrator, open_database, start_job
from support.wait import wait_until

Database = AsyncDatabase[Document]
MANY = 40_000
BATCH = 500


@pytest.fixture
async def database(mongodb_uri: str, database_prefix: str) -> AsyncIterator[Database]:
    async with open_database(mongodb_uri, f"{database_prefix}_things") as found:
        yield found
        await found.client.drop_database(found.name)


async def state_of(database: Database) -> Document:
    found = await database["schema"].find_one({"_id": "schema"})
    return found or {}


async def fill(database: Database, many: int) -> None:
    await database["things"].insert_many([{"_id": number} for number in range(many)])


def step(number: int, phase: Phase = Phase.EXPAND, compatible_from: int = 0, *, marks: str = "") -> Migration:
    """A migration that leaves a mark each time it is done."""

    async def leave(work: MigrationContext) -> None:
        await work.database["marks"].update_one({"_id": marks or number}, {"$inc": {"times": 1}}, upsert=True)

    return Migration(number, f"step_{number}", leave, phase, compatible_from)


async def marks(database: Database) -> dict[Any, int]:
    return {mark["_id"]: mark["times"] async for mark in database["marks"].find()}


@contextlib.asynccontextmanager
async def service(uri: str, database: Database, schema: Schema, mode: Mode = "migrate") -> AsyncIterator[Mongo]:
    """What a service of a version has of MongoDB."""
    mongo = Mongo(uri, database.name, schema, mode)
    await mongo.start()
    try:
        yield mongo
    finally:
        await mongo.stop()


async def test_two_jobs_at_once_do_each_migration_once(mongodb_uri: str, database: Database) -> None:
    await fill(database, 2_000)
    jobs = await asyncio.gather(*(start_job(mongodb_uri, database.name) for _ in range(2)))
    assert [await asyncio.wait_for(one.wait(), 60) for one in jobs] == [0, 0]
    assert await database["things"].count_documents({"colour": "green", "painted": 1}) == 2_000
    state = await state_of(database)
    assert state["applied"]["1"]["documents"] == 2_000, "one of them went through them, once"
    assert "lock" not in state
    assert "colour" in await database["things"].index_information()


async def test_replicas_that_start_at_once_bring_the_schema_up_once(mongodb_uri: str, database: Database) -> None:
    schema = Schema((COLOUR_INDEX,), (step(1), step(2)))
    async with contextlib.AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(service(mongodb_uri, database, schema)) for _ in range(4)]
        await asyncio.wait_for(asyncio.gather(*(one.schema_ready.wait() for one in replicas)), 30)
        await wait_until(lambda: not any(one.unready_reason() for one in replicas))
    assert await marks(database) == {1: 1, 2: 1}


async def test_a_job_killed_in_the_middle_is_gone_on_with_by_the_next(mongodb_uri: str, database: Database) -> None:
    await fill(database, MANY)
    first = await start_job(mongodb_uri, database.name)

    async def in_the_middle() -> Document | None:
        running = (await state_of(database)).get("running")
        return running if running and running["documents"] >= 2 * BATCH else None

    left: Document = await wait_until(in_the_middle, timeout=60)
    first.kill()
    await first.wait()
    before = await state_of(database)
    assert left["documents"] <= before["running"]["documents"] < MANY, "it was killed in the middle"
    assert before["lock"], "the dead hold their lock until the lease lapses"
    second = await start_job(mongodb_uri, database.name)
    assert await asyncio.wait_for(second.wait(), 90) == 0
    assert await database["things"].count_documents({"colour": "green", "painted": 1}) == MANY
    done = (await state_of(database))["applied"]["1"]
    assert done["documents"] == MANY, "it went on from where the first was, and did not begin anew"
    assert done["by"] != before["lock"]["holder"]


async def test_who_loses_the_lock_breaks_off_and_writes_down_nothing(database: Database) -> None:
    holding, goes_on = asyncio.Event(), asyncio.Event()

    async def slow(_: MigrationContext) -> None:
        holding.set()
        await goes_on.wait()

    upgrade = create_migrator(database, Schema((), (Migration(1, "slow", slow),)))
    running = asyncio.create_task(upgrade.run())
    await asyncio.wait_for(holding.wait(), 10)
    await database["schema"].update_one({}, {"$set": {"lock.holder": "another"}})
    with pytest.raises(SchemaError, match="lock"):
        await asyncio.wait_for(running, LEASE.total_seconds() * 2)
    state = await state_of(database)
    assert not state["applied"]
    assert state["lock"]["holder"] == "another"


async def test_work_that_misses_its_cancellation_is_broken_off_all_the_same(database: Database) -> None:
    holding = asyncio.Event()

    async def stubborn(_: MigrationContext) -> None:
        holding.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    upgrade = create_migrator(database, Schema((), (Migration(1, "stubborn", stubborn),)))
    running = asyncio.create_task(upgrade.run())
    await asyncio.wait_for(holding.wait(), 10)
    await database["schema"].update_one({}, {"$set": {"lock.holder": "another"}})
    done, _ = await asyncio.wait({running}, timeout=LEASE.total_seconds() * 2 + 5)
    assert done, "who waits for it would wait for ever, and so would the next holder"
    assert isinstance(running.exception(), SchemaError)


async def test_waiting_says_for_which_version_and_ends_when_the_job_is_done(
    mongodb_uri: str, database: Database
) -> None:
    schema = Schema((COLOUR_INDEX,), (step(1), step(2, Phase.BACKFILL)))
    async with service(mongodb_uri, database, schema, "wait") as mongo:
        fault = await wait_until(
            lambda: "waits for schema 2" in (mongo.unready_reason() or "") and mongo.unready_reason()
        )
        assert "the database has 0" in fault
        assert "migration 1 step_1" in fault
        assert "index things.colour" in fault
        assert "nobody is at it" in fault
        with pytest.raises(SchemaNotReady):
            mongo["things"]
        assert not await database["things"].index_information(), "who waits makes nothing"
        await create_migrator(database, schema).run()
        await wait_until(lambda: mongo.schema_ready.is_set() and mongo.unready_reason() is None)
        await mongo["things"].find_one({})


async def test_who_waits_is_told_what_failed(mongodb_uri: str, database: Database) -> None:
    async def fails(_: MigrationContext) -> None:
        raise ValueError("a document that nobody thought of")

    broken = Schema((), (Migration(1, "broken", fails),))
    async with service(mongodb_uri, database, broken, "wait") as mongo:
        for _ in range(2):
            with pytest.raises(SchemaError, match="migration 1 broken failed: ValueError: a document that nobody"):
                await create_migrator(database, broken).run()
        await wait_until(lambda: "it failed: migration 1 broken failed" in (mongo.unready_reason() or ""))
        await create_migrator(database, Schema((), (step(1),))).run()
        await wait_until(lambda: mongo.unready_reason() is None)
    assert "failed" not in await state_of(database)


async def test_older_code_runs_on_what_newer_code_added(mongodb_uri: str, database: Database) -> None:
    old = Schema((), (step(1),))
    new = Schema((COLOUR_INDEX,), (step(1), step(2)))
    await create_migrator(database, old).run()
    await create_migrator(database, new).run()
    async with service(mongodb_uri, database, old) as rolled_back:
        await wait_until(lambda: rolled_back.unready_reason() is None)
        await rolled_back["things"].insert_one({})
    assert await marks(database) == {1: 1, 2: 1}


async def test_older_code_refuses_what_newer_code_removed(mongodb_uri: str, database: Database) -> None:
    old = Schema((), (step(1),))
    new = Schema((), (step(1), step(2), step(3, Phase.CONTRACT, 2)))
    assert await create_migrator(database, new).run() == []
    async with service(mongodb_uri, database, old) as rolled_back:
        fault = await wait_until(
            lambda: "too old" in (rolled_back.unready_reason() or "") and rolled_back.unready_reason()
        )
        assert "of schema 1" in fault
        assert not rolled_back.schema_ready.is_set()
        with pytest.raises(SchemaNotReady, match="too old"):
            rolled_back["things"]
    assert set((await state_of(database))["code"]) == set(), "who is refused was not at work"


async def test_a_contract_step_waits_until_older_code_is_gone(database: Database) -> None:
    new = Schema((), (step(1), step(2), step(3, Phase.CONTRACT, 2)))
    older = MigrationStateStore(database, "older")
    await older.register_version(1)
    left = await create_migrator(database, new).run()
    assert [str(one) for one in left] == ["3 step_3"]
    assert (await state_of(database))["compatible_from"] == 0, "older code may still come back"
    assert await marks(database) == {1: 1, 2: 1}
    await wait_until(lambda: _done(database, new))
    assert await marks(database) == {1: 1, 2: 1, 3: 1}
    assert await older.register_version(1) is None
    assert await older.register_version(2) is not None, "the version before runs on"


async def _done(database: Database, schema: Schema) -> bool:
    return await create_migrator(database, schema).run() == []


async def test_a_fill_is_done_again_after_older_code_was_at_work(database: Database) -> None:
    schema = Schema((), (step(1, Phase.BACKFILL),))
    assert await create_migrator(database, schema).run() == []
    assert await create_migrator(database, schema).run() == []
    assert await marks(database) == {1: 1}
    await MigrationStateStore(database, "older").register_version(0)
    assert await create_migrator(database, schema).run() == list(schema.migrations)
    await wait_until(lambda: _done(database, schema))
    assert await marks(database) == {1: 2}


async def test_a_service_serves_before_its_fills_are_done_and_does_them_then(
    mongodb_uri: str, database: Database
) -> None:
    goes_on = asyncio.Event()

    async def slow(work: MigrationContext) -> None:
        await goes_on.wait()
        await add_colour(work)

    await fill(database, 10)
    async with service(mongodb_uri, database, Schema((), (Migration(1, "slow", slow, Phase.BACKFILL),))) as mongo:
        await wait_until(lambda: mongo.unready_reason() is None)
        assert await mongo["things"].find_one({"colour": "green"}) is None
        goes_on.set()
        await wait_until(lambda: database["things"].find_one({"_id": 9, "colour": "green"}))


async def test_an_index_defined_otherwise_is_named_and_left_alone(mongodb_uri: str, database: Database) -> None:
    await create_migrator(database, SCHEMA).run()
    changed = replace(COLOUR_INDEX, options={"name": "colour", "unique": True})
    async with service(mongodb_uri, database, Schema((changed,))) as mongo:
        fault = await wait_until(lambda: "things.colour" in (mongo.unready_reason() or "") and mongo.unready_reason())
        assert "give the new one another name" in fault
    kept = (await database["things"].index_information())["colour"]
    assert "unique" not in kept


async def test_an_index_that_cannot_be_made_says_why(database: Database) -> None:
    await database["things"].insert_many([{"colour": "green"}, {"colour": "green"}])
    unique = Index("things", [("colour", 1)], {"name": "once", "unique": True})
    with pytest.raises(SchemaError, match=r"index things\.once cannot be made: DuplicateKeyError"):
        await create_migrator(database, Schema((unique,))).run()


async def test_writers_beside_a_migration_lose_nothing(database: Database) -> None:
    """Compare-and-set on a version, as conversations are written."""

    async def stamp(work: MigrationContext) -> None:
        def change(thing: Document) -> UpdateOne | None:
            unchanged = {"_id": thing["_id"], "version": thing["version"]}
            return UpdateOne(unchanged, {"$set": {"stamp": thing["version"]}}) if "stamp" not in thing else None

        await work.update_in_batches("things", change)

    await database["things"].insert_many([{"_id": number, "version": 0} for number in range(3_000)])
    upgrade = create_migrator(database, Schema((), (Migration(1, "stamp", stamp),)))
    running = asyncio.create_task(upgrade.run())
    written = 0
    while not running.done():
        number = written % 3_000
        thing = await database["things"].find_one({"_id": number})
        assert thing is not None
        version = thing["version"]
        done = await database["things"].update_one(
            {"_id": number, "version": version}, {"$set": {"version": version + 1, "stamp": version + 1}}
        )
        assert done.modified_count == 1, "the migration leaves the version alone"
        written += 1
    await running
    assert written > 10
    behind = {"$expr": {"$ne": ["$stamp", "$version"]}}
    assert await database["things"].count_documents(behind) == 0
    versions = [thing["version"] async for thing in database["things"].find({}, {"version": 1})]
    assert sum(versions) == written


async def test_schemas_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ValueError, match="without gaps"):
        Schema((), (step(2),))
    with pytest.raises(ValueError, match="twice"):
        Schema((COLOUR_INDEX, COLOUR_INDEX))
    with pytest.raises(ValueError, match="earlier version"):
        Schema((), (step(1, Phase.CONTRACT),))
    with pytest.raises(ValueError, match="earlier version"):
        Schema((), (step(1, Phase.EXPAND, 1),))
