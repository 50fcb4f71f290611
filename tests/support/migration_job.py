"""A test schema, and a migration job for it that runs as a process, so that it can be killed half-way.

`python -m support.migration_job <MONGODB_URI> <database>`; its lease is short, so that an abandoned one expires soon.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from parley.common.mongodb import DatabaseSchema, Document, Index, Migration, MigrationContext
from parley.common.mongodb.client import create_client, majority_database
from parley.common.mongodb.migrator import Migrator
from parley.common.observability.logging import configure_logging
from parley_dev.process import child_environment

LEASE = timedelta(seconds=2)
ABSENCE = timedelta(seconds=1)


async def add_colour(work: MigrationContext) -> None:
    """Set a colour on every document of `things`, and count how often that was done."""
    await work.update_in_batches("things", _painted)


def _painted(thing: Document) -> UpdateOne | None:
    if "colour" in thing:
        return None
    return UpdateOne({"_id": thing["_id"]}, {"$set": {"colour": "green"}, "$inc": {"painted": 1}})


COLOUR_INDEX = Index("things", [("colour", 1)], {"name": "colour"})
SCHEMA = DatabaseSchema((COLOUR_INDEX,), (Migration(1, "paint", add_colour),))


@contextlib.asynccontextmanager
async def open_database(uri: str, database: str) -> AsyncIterator[AsyncDatabase[Document]]:
    """Open the database as a migration does."""
    client = create_client(uri, database, socket_timeout_seconds=None)
    try:
        yield majority_database(client, database)
    finally:
        await client.close()


def create_migrator(database: AsyncDatabase[Document], schema: DatabaseSchema) -> Migrator:
    """Create a migrator with a short lease."""
    return Migrator(database, schema, lease=LEASE, absence=ABSENCE)


async def start_job(uri: str, database: str) -> asyncio.subprocess.Process:
    """Start a process that migrates the database to SCHEMA."""
    environment = {**child_environment(), "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    command = [sys.executable, "-m", "support.migration_job", uri, database]
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.DEVNULL)


async def _main(uri: str, name: str) -> None:
    async with open_database(uri, name) as database:
        await create_migrator(database, SCHEMA).run()


if __name__ == "__main__":
    configure_logging("upgrading", "info")
    asyncio.run(_main(*sys.argv[1:]))
