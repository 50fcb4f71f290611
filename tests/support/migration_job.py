"""A schema of the tests' own, and a job that brings it up as a process that can be killed in the middle.

`python -m support.migration_job <MONGODB_URI> <database>`; its lease is short, so that nobody waits long for a dead one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from parley.common.mongodb import Document, Index, Migration, Schema, Work
from parley.common.mongodb.client import connect, majority
from parley.common.mongodb.migrator import Upgrade
from parley.common.observability.logging import configure_logs

LEASE = timedelta(seconds=2)
ABSENCE = timedelta(seconds=1)


async def paint(work: Work) -> None:
    """Every thing gets a colour, and a count of how often it was painted."""
    await work.each("things", _painted)


def _painted(thing: Document) -> UpdateOne | None:
    if "colour" in thing:
        return None
    return UpdateOne({"_id": thing["_id"]}, {"$set": {"colour": "green"}, "$inc": {"painted": 1}})


BY_COLOUR = Index("things", [("colour", 1)], {"name": "colour"})
SCHEMA = Schema((BY_COLOUR,), (Migration(1, "paint", paint),))


@contextlib.asynccontextmanager
async def opened(uri: str, database: str) -> AsyncIterator[AsyncDatabase[Document]]:
    """A database as an upgrade wants it."""
    client = connect(uri, database, socket_seconds=None)
    try:
        yield majority(client, database)
    finally:
        await client.close()


def upgrade_of(database: AsyncDatabase[Document], schema: Schema) -> Upgrade:
    """An upgrade whose lease and patience are short."""
    return Upgrade(database, schema, lease=LEASE, absence=ABSENCE)


async def job(uri: str, database: str) -> asyncio.subprocess.Process:
    """A job for SCHEMA as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    command = [sys.executable, "-m", "support.migration_job", uri, database]
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.DEVNULL)


async def _main(uri: str, name: str) -> None:
    async with opened(uri, name) as database:
        await upgrade_of(database, SCHEMA).run()


if __name__ == "__main__":
    configure_logs("upgrading", "info")
    asyncio.run(_main(*sys.argv[1:]))
