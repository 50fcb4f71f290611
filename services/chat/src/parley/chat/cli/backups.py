"""`parley backup` and `parley restore`: the whole installation in one file, without MongoDB's own tools."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aio_pika
import click
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from parley.chat.backup.archive import Manifest, NotABackup
from parley.chat.backup.databases import InstallationDatabases
from parley.chat.backup.transfer import BackupTransfer, NotEmpty, NotRestored
from parley.chat.settings import ChatSettings
from parley.chat.timeouts import BACKUP_TIMEOUT_SECONDS
from parley.chat.uploads.storage import create_object_storage
from parley.common.cli import CommandError, CommandResult, async_command, read_settings
from parley.common.errors import Unavailable
from parley.common.log_partitions import SINGLE_LOG, stream_name

_SNAPSHOT_TOO_OLD = (239, 246)
"""MongoDB's error codes."""


@asynccontextmanager
async def _open_transfer(settings: ChatSettings) -> AsyncIterator[BackupTransfer]:
    """Open the databases and the images. Raises CommandError for what goes wrong with them."""
    try:
        async with AsyncMongoClient[RawBSONDocument](
            settings.mongodb_uri, serverSelectionTimeoutMS=BACKUP_TIMEOUT_SECONDS * 1000
        ) as client:
            databases = InstallationDatabases(client, settings.database_prefix)
            yield BackupTransfer(databases, create_object_storage(settings))
    except OperationFailure as exc:
        if exc.code in _SNAPSHOT_TOO_OLD:
            raise CommandError(
                "the databases are larger than what can be read at one moment: raise MongoDB's"
                " minSnapshotHistoryWindowInSeconds, or use mongodump --oplog"
            ) from exc
        name = (exc.details or {}).get("codeName", exc.code)
        raise CommandError(f"MongoDB refuses: {name}; the user in MONGODB_URI needs all databases") from exc
    except PyMongoError as exc:
        raise CommandError(f"MongoDB does not answer at MONGODB_URI: {type(exc).__name__}") from exc
    except Unavailable as exc:
        raise CommandError(f"{exc.message} `parley config check` says why.") from exc
    except OSError as exc:
        raise CommandError(f"{exc.filename or 'the file'}: {exc.strerror}") from exc


@async_command(
    "backup",
    "write the databases of all services, at one moment, and all images and files to a file",
    details=(
        "The services may run meanwhile. MONGODB_URI needs an account that may read the databases of all services."
        " Secrets are not in the file: keep them elsewhere. The file contains personal data: encrypt it."
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
async def backup(file: Path) -> CommandResult:
    settings = read_settings(ChatSettings)
    async with _open_transfer(settings) as transfer:
        manifest = await transfer.write(file)
    return _to_result(manifest, f"Wrote {{}} to {file}.")


@async_command(
    "restore",
    "fill the databases of an empty installation, and its storage of images, from a backup",
    details=(
        "Stop the services and the autoscalers first, and use an empty broker: its queues contain events about other"
        " data. Afterwards start the services, and repeat erasures that are newer than the backup."
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
async def restore(file: Path) -> CommandResult:
    settings = read_settings(ChatSettings)
    await _require_empty_broker(settings)
    async with _open_transfer(settings) as transfer:
        try:
            manifest = await transfer.restore(file)
        except NotABackup as exc:
            raise CommandError(f"{file}: {exc}") from exc
        except NotEmpty as exc:
            raise CommandError(f"the installation is not empty: {exc}") from exc
        except NotRestored as exc:
            raise CommandError(str(exc)) from exc
    return _to_result(manifest, f"Restored {{}}, of {manifest.created_at}. Start the services now.")


async def _require_empty_broker(settings: ChatSettings) -> None:
    """Raise CommandError if the event log exists and has events: they are about data that is not in the backup."""
    streams = (SINGLE_LOG, *(stream_name(partition) for partition in range(settings.log_partitions)))
    try:
        async with (
            asyncio.timeout(BACKUP_TIMEOUT_SECONDS),
            await aio_pika.connect(settings.amqp_url) as connection,
        ):
            for stream in streams:
                with contextlib.suppress(ChannelNotFoundEntity):
                    log = await (await connection.channel()).declare_queue(stream, passive=True)
                    if log.declaration_result.message_count:
                        raise CommandError("the broker has events of another installation: use an empty one")
    except (AMQPError, OSError, TimeoutError):
        raise CommandError("RabbitMQ does not answer at AMQP_URL, so it is unknown whether it is empty") from None


def _to_result(manifest: Manifest, text: str) -> CommandResult:
    total = sum(manifest.documents.values())
    data = {
        "created_at": manifest.created_at,
        "documents": manifest.documents,
        "images": manifest.images,
        "files": manifest.files,
    }
    return CommandResult(data, text.format(f"{total} documents, {manifest.images} images and {manifest.files} files"))


COMMANDS = (backup, restore)
