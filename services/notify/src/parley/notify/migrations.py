"""Migrations of notify's database, in order. A migration that was released is never changed."""

from __future__ import annotations

from parley.common.mongodb import Migration, MigrationContext, Phase
from parley.notify.push.cursor_repository import COLLECTION, SINGLE_LOG_CURSOR


async def _end_single_log(context: MigrationContext) -> None:
    """Remove the cursor of the single log, which only older code follows. `SingleLogRemoval` then deletes the log."""
    await context.database[COLLECTION].delete_one({"_id": SINGLE_LOG_CURSOR})


MIGRATIONS = (Migration(1, "end_single_log", _end_single_log, Phase.BACKFILL),)
