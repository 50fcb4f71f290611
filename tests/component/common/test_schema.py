"""Schema migrations: run once by competing processes, resumed after a crash, alongside code of other versions."""

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
    DatabaseSchema,
    Document,
    Index,
    Migration,
    MigrationContext,
    Mongo,
    Phase,
    SchemaError,
    SchemaNotReady,
)
from parley.common.mongodb.migration_state import MigrationStateStore
from parley.common.mongodb.schema_gate import Mode
from support.migration_job import COLOUR_INDEX, LEASE, SCHEMA, add_colour, create_migrator, open_database, start_job
from support.wait import wait_until

Database = AsyncDatabase[Document]
MANY = 16_000
BATCH = 500


@pytest.fixture
async def database(mongodb_uri: str, database_prefix: str) -> AsyncIterator[Database]:
    async with open_database(mongodb_uri, f"{database_prefix}_things") as database:
        yield database
        await database.client.drop_database(database.name)


async def read_state(database: Database) -> Document:
    state = await database["schema"].find_one({"_id": "schema"})
    return state or {}


async def insert_things(database: Database, count: int) -> None:
    await database["things"].insert_many([{"_id": number} for number in range(count)])


def mark_migration(number: int, phase: Phase = Phase.EXPAND, compatible_from: int = 0, *, mark: str = "") -> Migration:
    """Build a migration that counts its runs in the collection of marks."""

    async def add_mark(context: MigrationContext) -> None:
        await context.database["marks"].update_one({"_id": mark or number}, {"$inc": {"times": 1}}, upsert=True)

    return Migration(number, f"step_{number}", add_mark, phase, compatible_from)


async def read_marks(database: Database) -> dict[Any, int]:
    return {mark["_id"]: mark["times"] async for mark in database["marks"].find()}


@contextlib.asynccontextmanager
async def service(uri: str, database: Database, schema: DatabaseSchema, mode: Mode = "migrate") -> AsyncIterator[Mongo]:
    """Run a service's database component."""
    mongo = Mongo(uri, database.name, schema, mode)
    await mongo.start()
    try:
        yield mongo
    finally:
        await mongo.stop()


async def test_concurrent_jobs_run_each_migration_once(mongodb_uri: str, database: Database) -> None:
    await insert_things(database, 2_000)
    jobs = await asyncio.gather(*(start_job(mongodb_uri, database.name) for _ in range(2)))
    assert [await asyncio.wait_for(one.wait(), 60) for one in jobs] == [0, 0]
    assert await database["things"].count_documents({"colour": "green", "painted": 1}) == 2_000
    state = await read_state(database)
    assert state["applied"]["1"]["documents"] == 2_000, "one job updated them, once"
    assert "lock" not in state
    assert "colour" in await database["things"].index_information()


async def test_replicas_that_start_together_migrate_once(mongodb_uri: str, database: Database) -> None:
    schema = DatabaseSchema((COLOUR_INDEX,), (mark_migration(1), mark_migration(2)))
    async with contextlib.AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(service(mongodb_uri, database, schema)) for _ in range(4)]
        await asyncio.wait_for(asyncio.gather(*(one.schema_ready.wait() for one in replicas)), 30)
        await wait_until(lambda: not any(one.unready_reason() for one in replicas))
    assert await read_marks(database) == {1: 1, 2: 1}


async def test_interrupted_migration_is_resumed_by_the_next_job(mongodb_uri: str, database: Database) -> None:
    await insert_things(database, MANY)
    first = await start_job(mongodb_uri, database.name)

    async def is_halfway() -> Document | None:
        running = (await read_state(database)).get("running")
        return running if running and running["documents"] >= 2 * BATCH else None

    progress: Document = await wait_until(is_halfway, timeout=60)
    first.kill()
    await first.wait()
    before = await read_state(database)
    assert progress["documents"] <= before["running"]["documents"] < MANY, "it was killed halfway"
    assert before["lock"], "a killed holder keeps the lock until the lease expires"
    second = await start_job(mongodb_uri, database.name)
    assert await asyncio.wait_for(second.wait(), 90) == 0
    assert await database["things"].count_documents({"colour": "green", "painted": 1}) == MANY
    done = (await read_state(database))["applied"]["1"]
    assert done["documents"] == MANY, "it continued where the first job stopped"
    assert done["by"] != before["lock"]["holder"]


async def test_process_that_loses_the_lock_stops_and_records_nothing(database: Database) -> None:
    lock_held, may_continue = asyncio.Event(), asyncio.Event()

    async def slow(_: MigrationContext) -> None:
        lock_held.set()
        await may_continue.wait()

    migrator = create_migrator(database, DatabaseSchema((), (Migration(1, "slow", slow),)))
    running = asyncio.create_task(migrator.run())
    await asyncio.wait_for(lock_held.wait(), 10)
    await database["schema"].update_one({}, {"$set": {"lock.holder": "another"}})
    with pytest.raises(SchemaError, match="lock"):
        await asyncio.wait_for(running, LEASE.total_seconds() * 2)
    state = await read_state(database)
    assert not state["applied"]
    assert state["lock"]["holder"] == "another"


async def test_migration_that_loses_its_cancellation_is_stopped(database: Database) -> None:
    lock_held = asyncio.Event()

    async def stubborn(_: MigrationContext) -> None:
        lock_held.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    migrator = create_migrator(database, DatabaseSchema((), (Migration(1, "stubborn", stubborn),)))
    running = asyncio.create_task(migrator.run())
    await asyncio.wait_for(lock_held.wait(), 10)
    await database["schema"].update_one({}, {"$set": {"lock.holder": "another"}})
    done, _ = await asyncio.wait({running}, timeout=LEASE.total_seconds() * 2 + 5)
    assert done, "else neither the caller nor the next holder would continue"
    assert isinstance(running.exception(), SchemaError)


async def test_waiting_service_reports_what_is_missing_until_the_job_is_is_finished(
    mongodb_uri: str, database: Database
) -> None:
    schema = DatabaseSchema((COLOUR_INDEX,), (mark_migration(1), mark_migration(2, Phase.BACKFILL)))
    async with service(mongodb_uri, database, schema, "wait") as mongo:
        reason = await wait_until(
            lambda: "waits for schema 2" in (mongo.unready_reason() or "") and mongo.unready_reason()
        )
        assert "the database has 0" in reason
        assert "migration 1 step_1" in reason
        assert "index things.colour" in reason
        assert "no process is migrating it" in reason
        with pytest.raises(SchemaNotReady):
            mongo["things"]
        assert not await database["things"].index_information(), "a waiting service creates nothing"
        await create_migrator(database, schema).run()
        await wait_until(lambda: mongo.schema_ready.is_set() and mongo.unready_reason() is None)
        await mongo["things"].find_one({})


async def test_waiting_service_reports_a_failed_migration(mongodb_uri: str, database: Database) -> None:
    async def fails(_: MigrationContext) -> None:
        raise ValueError("an unexpected document")

    broken = DatabaseSchema((), (Migration(1, "broken", fails),))
    async with service(mongodb_uri, database, broken, "wait") as mongo:
        for _ in range(2):
            with pytest.raises(SchemaError, match="migration 1 broken failed: ValueError: an unexpected document"):
                await create_migrator(database, broken).run()
        await wait_until(lambda: "it failed: migration 1 broken failed" in (mongo.unready_reason() or ""))
        await create_migrator(database, DatabaseSchema((), (mark_migration(1),))).run()
        await wait_until(lambda: mongo.unready_reason() is None)
    assert "failed" not in await read_state(database)


async def test_older_code_runs_after_an_expand_step(mongodb_uri: str, database: Database) -> None:
    old = DatabaseSchema((), (mark_migration(1),))
    new = DatabaseSchema((COLOUR_INDEX,), (mark_migration(1), mark_migration(2)))
    await create_migrator(database, old).run()
    await create_migrator(database, new).run()
    async with service(mongodb_uri, database, old) as rolled_back:
        await wait_until(lambda: rolled_back.unready_reason() is None)
        await rolled_back["things"].insert_one({})
    assert await read_marks(database) == {1: 1, 2: 1}


async def test_older_code_is_refused_after_a_contract_step(mongodb_uri: str, database: Database) -> None:
    old = DatabaseSchema((), (mark_migration(1),))
    new = DatabaseSchema((), (mark_migration(1), mark_migration(2), mark_migration(3, Phase.CONTRACT, 2)))
    assert await create_migrator(database, new).run() == []
    async with service(mongodb_uri, database, old) as rolled_back:
        reason = await wait_until(
            lambda: "too old" in (rolled_back.unready_reason() or "") and rolled_back.unready_reason()
        )
        assert "it has schema 1" in reason
        assert not rolled_back.schema_ready.is_set()
        with pytest.raises(SchemaNotReady, match="too old"):
            rolled_back["things"]
    assert set((await read_state(database))["code"]) == set(), "refused code is not recorded as running"


async def test_contract_step_waits_until_older_code_is_gone(database: Database) -> None:
    new = DatabaseSchema((), (mark_migration(1), mark_migration(2), mark_migration(3, Phase.CONTRACT, 2)))
    older = MigrationStateStore(database, "older")
    await older.register_version(1)
    left = await create_migrator(database, new).run()
    assert [str(one) for one in left] == ["3 step_3"]
    assert (await read_state(database))["compatible_from"] == 0, "older code may still start"
    assert await read_marks(database) == {1: 1, 2: 1}
    await wait_until(lambda: _is_finished(database, new))
    assert await read_marks(database) == {1: 1, 2: 1, 3: 1}
    assert await older.register_version(1) is None
    assert await older.register_version(2) is not None, "the previous version is still accepted"


async def _is_finished(database: Database, schema: DatabaseSchema) -> bool:
    return await create_migrator(database, schema).run() == []


async def test_backfill_runs_again_after_older_code_ran(database: Database) -> None:
    schema = DatabaseSchema((), (mark_migration(1, Phase.BACKFILL),))
    assert await create_migrator(database, schema).run() == []
    assert await create_migrator(database, schema).run() == []
    assert await read_marks(database) == {1: 1}
    await MigrationStateStore(database, "older").register_version(0)
    assert await create_migrator(database, schema).run() == list(schema.migrations)
    await wait_until(lambda: _is_finished(database, schema))
    assert await read_marks(database) == {1: 2}


async def test_service_is_ready_before_its_backfills_and_runs_them_afterwards(
    mongodb_uri: str, database: Database
) -> None:
    may_continue = asyncio.Event()

    async def slow(context: MigrationContext) -> None:
        await may_continue.wait()
        await add_colour(context)

    await insert_things(database, 10)
    async with service(
        mongodb_uri, database, DatabaseSchema((), (Migration(1, "slow", slow, Phase.BACKFILL),))
    ) as mongo:
        await wait_until(lambda: mongo.unready_reason() is None)
        assert await mongo["things"].find_one({"colour": "green"}) is None
        may_continue.set()
        await wait_until(lambda: database["things"].find_one({"_id": 9, "colour": "green"}))


async def test_index_with_another_definition_is_reported_and_not_changed(mongodb_uri: str, database: Database) -> None:
    await create_migrator(database, SCHEMA).run()
    changed = replace(COLOUR_INDEX, options={"name": "colour", "unique": True})
    async with service(mongodb_uri, database, DatabaseSchema((changed,))) as mongo:
        reason = await wait_until(lambda: "things.colour" in (mongo.unready_reason() or "") and mongo.unready_reason())
        assert "give the new one another name" in reason
    stored = (await database["things"].index_information())["colour"]
    assert "unique" not in stored


async def test_a_start_lists_the_indexes_of_a_collection_once_and_creates_what_is_missing_together(
    mongodb_uri: str, database: Database
) -> None:
    indexes = [COLOUR_INDEX] + [Index("things", [(name, 1)], {"name": name}) for name in ("size", "weight")]
    schema = DatabaseSchema(indexes, (mark_migration(1), mark_migration(2, Phase.BACKFILL)))
    await create_migrator(database, DatabaseSchema((COLOUR_INDEX,))).run()
    await database.command("profile", 2)
    for _ in range(2):
        async with service(mongodb_uri, database, schema) as mongo:
            await mongo.schema_ready.wait()
            await wait_until(lambda: _is_applied(database, 2))
    await database.command("profile", 0)
    calls = database["system.profile"].find({"appName": f"parley-{database.name}"})
    commands = [call["command"] async for call in calls]
    assert [len(command["indexes"]) for command in commands if "createIndexes" in command] == [2]
    # To create them, the first start lists them again under the lock.
    assert [command["listIndexes"] for command in commands if "listIndexes" in command] == ["things"] * 3
    assert set(await database["things"].index_information()) == {"_id_", "colour", "size", "weight"}


async def _is_applied(database: Database, number: int) -> bool:
    return str(number) in (await read_state(database))["applied"]


async def test_index_that_cannot_be_created_is_reported(database: Database) -> None:
    await database["things"].insert_many([{"colour": "green"}, {"colour": "green"}])
    unique = Index("things", [("colour", 1)], {"name": "once", "unique": True})
    with pytest.raises(SchemaError, match=r"index things\.once cannot be created: DuplicateKeyError"):
        await create_migrator(database, DatabaseSchema((unique,))).run()


async def test_writes_during_a_migration_are_not_lost(database: Database) -> None:
    """Both sides compare and set a version, as writers of conversations do."""

    async def stamp(context: MigrationContext) -> None:
        def change(thing: Document) -> UpdateOne | None:
            unchanged = {"_id": thing["_id"], "version": thing["version"]}
            return UpdateOne(unchanged, {"$set": {"stamp": thing["version"]}}) if "stamp" not in thing else None

        await context.update_in_batches("things", change)

    await database["things"].insert_many([{"_id": number, "version": 0} for number in range(3_000)])
    migrator = create_migrator(database, DatabaseSchema((), (Migration(1, "stamp", stamp),)))
    running = asyncio.create_task(migrator.run())
    written = 0
    while not running.done():
        number = written % 3_000
        thing = await database["things"].find_one({"_id": number})
        assert thing is not None
        version = thing["version"]
        done = await database["things"].update_one(
            {"_id": number, "version": version}, {"$set": {"version": version + 1, "stamp": version + 1}}
        )
        assert done.modified_count == 1, "the migration does not change the version"
        written += 1
    await running
    assert written > 10
    behind = {"$expr": {"$ne": ["$stamp", "$version"]}}
    assert await database["things"].count_documents(behind) == 0
    versions = [thing["version"] async for thing in database["things"].find({}, {"version": 1})]
    assert sum(versions) == written


async def test_schemas_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ValueError, match="without gaps"):
        DatabaseSchema((), (mark_migration(2),))
    with pytest.raises(ValueError, match="twice"):
        DatabaseSchema((COLOUR_INDEX, COLOUR_INDEX))
    with pytest.raises(ValueError, match="earlier version"):
        DatabaseSchema((), (mark_migration(1, Phase.CONTRACT),))
    with pytest.raises(ValueError, match="earlier version"):
        DatabaseSchema((), (mark_migration(1, Phase.EXPAND, 1),))
