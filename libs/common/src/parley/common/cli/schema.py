"""`parley schema`: brings the databases of the services installed here up to their version, or says how they stand."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from parley.common.cli.main import Answer, Command, Refused, offers, required_variable, table
from parley.common.mongodb.client import create_client, majority_database
from parley.common.mongodb.errors import TRANSIENT_ERRORS, SchemaError
from parley.common.mongodb.migration_state import MigrationStateStore, SchemaState
from parley.common.mongodb.migrator import Migrator, format_conflicting_indexes
from parley.common.mongodb.schema import Document, Migration, Phase, Schema, compare_indexes
from parley.common.observability.logging import configure_logging, get_logger
from parley.common.runtime.clock import to_rfc3339
from parley.common.runtime.settings import DatabaseSettings

log = get_logger(__name__)

_AGAIN_SECONDS = 5.0


def _status_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--service", metavar="NAME", help="of this one alone; without it, of all that are installed here"
    )


def _migrate_arguments(parser: argparse.ArgumentParser) -> None:
    _status_arguments(parser)
    parser.add_argument(
        "--finish-within",
        type=float,
        metavar="SECONDS",
        help="wait so long for older code to be gone, and do what waits for that; status 1 where something is left",
    )


async def migrate(wanted: argparse.Namespace) -> Answer:
    _log_aloud()
    until = time.monotonic() + (wanted.finish_within or 0.0)
    left = {}
    for service, schema in _schemas(wanted.service).items():
        async with _database(service) as database:
            left[service] = await _brought_up(database, schema, until)
    lines = [f"{service}: {_left_sentence(steps)}" for service, steps in left.items()]
    data = {service: {"left": [str(step) for step in steps]} for service, steps in left.items()}
    return Answer(data, "\n".join(lines), failed=wanted.finish_within is not None and any(left.values()))


async def _brought_up(database: AsyncDatabase[Document], schema: Schema, until: float) -> list[Migration]:
    upgrade = Migrator(database, schema)
    while True:
        try:
            left = await upgrade.run()
            if not left or time.monotonic() >= until:
                return left
        except SchemaError as exc:
            raise Refused(str(exc)) from exc
        except TRANSIENT_ERRORS as exc:
            log.warning("mongodb_unavailable", error=repr(exc)[:300])
            if time.monotonic() >= until:
                raise Refused(f"MongoDB does not answer: {type(exc).__name__}") from exc
        await asyncio.sleep(_AGAIN_SECONDS)


def _left_sentence(left: list[Migration]) -> str:
    if not left:
        return "up to date"
    return f"serves; left until older code is gone: {', '.join(str(step) for step in left)}"


async def status(wanted: argparse.Namespace) -> Answer:
    found = {}
    for service, schema in _schemas(wanted.service).items():
        async with _database(service) as database:
            found[service] = await _standing(database, schema)
    rows = [(service, one["version"], one["wanted"], one["state"]) for service, one in found.items()]
    text = table(("service", "version", "wanted", "state"), rows)
    return Answer(found, text, failed=not all(one["serves"] for one in found.values()))


async def _standing(database: AsyncDatabase[Document], schema: Schema) -> dict[str, Any]:
    missing, otherwise = await compare_indexes(database, schema.indexes)
    state = await MigrationStateStore(database, "").read()
    pending = state.pending(schema)
    refused = state.compatible_from > schema.version
    needed = [str(step) for step in pending if step.phase is Phase.EXPAND]
    return {
        "version": state.version,
        "wanted": schema.version,
        "compatible_from": state.compatible_from,
        "serves": not (missing or otherwise or needed or refused),
        "missing_indexes": [index.name for index in missing],
        "pending": [str(step) for step in pending],
        "running": str(state.running) if state.running else None,
        "holder": state.holder,
        "failed": state.failed,
        "code_seen": {str(version): to_rfc3339(seen) for version, seen in sorted(state.code.items())},
        "applied": {
            str(number): {"name": done.name, "at": to_rfc3339(done.began), "seconds": done.seconds, "by": done.by}
            for number, done in sorted(state.applied.items())
        },
        "state": "; ".join(
            _sentences(
                state, schema, pending, len(missing), format_conflicting_indexes(otherwise) if otherwise else None
            )
        ),
    }


def _sentences(
    state: SchemaState, schema: Schema, pending: list[Migration], missing: int, otherwise: str | None
) -> list[str]:
    said = []
    if state.compatible_from > schema.version:
        said.append(f"this code is too old: the database is for {state.compatible_from} and newer")
    if otherwise:
        said.append(otherwise)
    if missing:
        said.append(f"{missing} indexes missing")
    if pending:
        said.append(f"to do: {', '.join(f'{step} ({step.phase})' for step in pending)}")
    if state.failed:
        said.append(f"failed: {state.failed}")
    if state.holder:
        said.append(f"{state.holder} is at {state.running or 'it'}")
    return said or ["up to date"]


def _schemas(service: str | None) -> dict[str, Schema]:
    found = {offer.service: offer.schema for offer in offers() if offer.schema is not None}
    if service is not None and service not in found:
        raise Refused(f"no database of {service} is known here; there are {', '.join(found) or 'none'}")
    if not found:
        raise Refused("no service with a database is installed here")
    return {service: found[service]} if service is not None else found


@asynccontextmanager
async def _database(service: str) -> AsyncIterator[AsyncDatabase[Document]]:
    prefix = os.environ.get("PARLEY_DATABASE_PREFIX") or DatabaseSettings.model_fields["database_prefix"].default
    name = f"{prefix}_{service}"
    client = create_client(required_variable("MONGODB_URI"), name, socket_timeout_seconds=None)
    try:
        yield majority_database(client, name)
    finally:
        await client.close()


def _log_aloud() -> None:
    """A job is watched by its log: it tells how far it is, beside the answer at the end."""
    logging.disable(logging.NOTSET)
    configure_logging("schema", os.environ.get("PARLEY_LOG_LEVEL") or "info", sys.stderr)


_ABOUT = "Reads MONGODB_URI and PARLEY_DATABASE_PREFIX alone."

COMMANDS = (
    Command(
        "schema migrate",
        "make missing indexes and bring documents up to what this version needs",
        migrate,
        _migrate_arguments,
        f"{_ABOUT} Safe beside running services and beside itself: one process is at it, the others\n"
        "wait. Stopped in the middle, the next goes on from there.",
    ),
    Command(
        "schema status",
        "say what the databases have, what this version wants, and which versions were seen",
        status,
        _status_arguments,
        f"{_ABOUT} Exit status 1 where this version could not serve.",
    ),
)
