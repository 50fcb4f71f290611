"""`parley schema`: bring the databases of the installed services up to date, and show their state."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import click
from pymongo.asynchronous.database import AsyncDatabase

from parley.common.cli.command import CommandError, CommandResult, async_command
from parley.common.cli.plugins import load_plugins
from parley.common.cli.settings import require_env_var
from parley.common.cli.terminal import format_table
from parley.common.cli.timeouts import MIGRATION_RETRY_SECONDS
from parley.common.mongodb.client import create_client, majority_database
from parley.common.mongodb.errors import TRANSIENT_ERRORS, SchemaError
from parley.common.mongodb.migration_state import MigrationStateStore, SchemaState
from parley.common.mongodb.migrator import Migrator, format_conflicting_indexes
from parley.common.mongodb.schema import DatabaseSchema, Document, Migration, Phase, compare_indexes
from parley.common.observability.logging import configure_logging, get_logger
from parley.common.runtime.clock import to_rfc3339
from parley.common.runtime.settings import DatabaseSettings

log = get_logger(__name__)

_ENVIRONMENT = "Needs MONGODB_URI and PARLEY_DATABASE_PREFIX alone."

_service_option = click.option(
    "--service", metavar="NAME", help="Only this service; by default all that are installed here."
)


@async_command(
    "schema migrate",
    "make missing indexes and bring documents up to what this version needs",
    details=f"{_ENVIRONMENT} Safe while services or other migrations run: one process works, the others wait."
    " After an interruption the next run continues where it stopped.",
)
@_service_option
@click.option(
    "--finish-within",
    type=float,
    metavar="SECONDS",
    help="Wait up to SECONDS for older code to be gone, and run what waits for that; status 1 if something remains.",
)
async def migrate(service: str | None, finish_within: float | None) -> CommandResult:
    _log_to_stderr()
    deadline = time.monotonic() + (finish_within or 0.0)
    remaining = {}
    for name, schema in _find_schemas(service).items():
        async with _connect(name) as database:
            remaining[name] = await _migrate_until(database, schema, deadline)
    lines = [f"{name}: {_format_remaining(migrations)}" for name, migrations in remaining.items()]
    data = {name: {"left": [str(migration) for migration in migrations]} for name, migrations in remaining.items()}
    return CommandResult(data, "\n".join(lines), failed=finish_within is not None and any(remaining.values()))


async def _migrate_until(database: AsyncDatabase[Document], schema: DatabaseSchema, deadline: float) -> list[Migration]:
    migrator = Migrator(database, schema)
    while True:
        try:
            remaining = await migrator.run()
            if not remaining or time.monotonic() >= deadline:
                return remaining
        except SchemaError as exc:
            raise CommandError(str(exc)) from exc
        except TRANSIENT_ERRORS as exc:
            log.warning("mongodb_unavailable", error=repr(exc)[:300])
            if time.monotonic() >= deadline:
                raise CommandError(f"MongoDB does not answer: {type(exc).__name__}") from exc
        await asyncio.sleep(MIGRATION_RETRY_SECONDS)


def _format_remaining(remaining: list[Migration]) -> str:
    if not remaining:
        return "up to date"
    return f"serves; remaining until older code is gone: {', '.join(str(migration) for migration in remaining)}"


@async_command(
    "schema status",
    "show each database's version, the version this code needs, and the versions of code that ran",
    details=f"{_ENVIRONMENT} Exit status 1 if this version could not serve.",
)
@_service_option
async def status(service: str | None) -> CommandResult:
    databases = {}
    for name, schema in _find_schemas(service).items():
        async with _connect(name) as database:
            databases[name] = await _read_status(database, schema)
    rows = [(name, one["version"], one["wanted"], one["state"]) for name, one in databases.items()]
    text = format_table(("service", "version", "wanted", "state"), rows)
    return CommandResult(databases, text, failed=not all(one["serves"] for one in databases.values()))


async def _read_status(database: AsyncDatabase[Document], schema: DatabaseSchema) -> dict[str, Any]:
    missing, conflicting = await compare_indexes(database, schema.indexes)
    state = await MigrationStateStore(database, "").read()
    pending = state.pending(schema)
    refused = state.compatible_from > schema.version
    required = [migration for migration in pending if migration.phase is Phase.EXPAND]
    conflict = format_conflicting_indexes(conflicting) if conflicting else None
    return {
        "version": state.version,
        "wanted": schema.version,
        "compatible_from": state.compatible_from,
        "serves": not (missing or conflicting or required or refused),
        "missing_indexes": [index.name for index in missing],
        "pending": [str(migration) for migration in pending],
        "running": str(state.running) if state.running else None,
        "holder": state.holder,
        "failed": state.failed,
        "code_seen": {str(version): to_rfc3339(seen) for version, seen in sorted(state.code.items())},
        "applied": {
            str(number): {
                "name": done.name,
                "at": to_rfc3339(done.started_at),
                "seconds": done.seconds,
                "by": done.holder,
            }
            for number, done in sorted(state.applied.items())
        },
        "state": "; ".join(_describe_state(state, schema, pending, len(missing), conflict)),
    }


def _describe_state(
    state: SchemaState, schema: DatabaseSchema, pending: list[Migration], missing: int, conflict: str | None
) -> list[str]:
    parts = []
    if state.compatible_from > schema.version:
        parts.append(f"this code is too old: the database is for {state.compatible_from} and newer")
    if conflict:
        parts.append(conflict)
    if missing:
        parts.append(f"{missing} indexes missing")
    if pending:
        parts.append(f"to do: {', '.join(f'{migration} ({migration.phase})' for migration in pending)}")
    if state.failed:
        parts.append(f"failed: {state.failed}")
    if state.holder:
        parts.append(f"{state.holder} is at {state.running or 'it'}")
    return parts or ["up to date"]


def _find_schemas(service: str | None) -> dict[str, DatabaseSchema]:
    schemas = {plugin.service: plugin.schema for plugin in load_plugins() if plugin.schema is not None}
    if service is not None and service not in schemas:
        raise CommandError(f"no database of {service} is known here; there are {', '.join(schemas) or 'none'}")
    if not schemas:
        raise CommandError("no service with a database is installed here")
    return {service: schemas[service]} if service is not None else schemas


@asynccontextmanager
async def _connect(service: str) -> AsyncIterator[AsyncDatabase[Document]]:
    prefix = os.environ.get("PARLEY_DATABASE_PREFIX") or DatabaseSettings.model_fields["database_prefix"].default
    name = f"{prefix}_{service}"
    client = create_client(require_env_var("MONGODB_URI"), name, socket_timeout_seconds=None)
    try:
        yield majority_database(client, name)
    finally:
        await client.close()


def _log_to_stderr() -> None:
    """Show the progress of a migration, which may run for hours as a job; the result follows on standard output."""
    logging.disable(logging.NOTSET)
    configure_logging("schema", os.environ.get("PARLEY_LOG_LEVEL") or "info", sys.stderr)


COMMANDS = (migrate, status)
