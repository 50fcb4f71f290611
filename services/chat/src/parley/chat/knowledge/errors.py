"""Errors about knowledge entries. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, NotFound

MAX_ENTRIES = 200
"""Per site. Protects against runaway imports."""


class EntryNotFound(NotFound):
    code = "not_found"


class EntryChanged(Conflict):
    """Somebody has changed an entry since it was read; nothing was written."""

    code = "entry_changed"
    default_message = "Somebody else has changed this entry meanwhile. See what it says now before you change it."


class EntryExists(Exception):
    """There is an entry with the id that was reserved for it."""


class KnowledgeFull(Conflict):
    code = "knowledge_full"
    default_message = f"A site can have at most {MAX_ENTRIES} knowledge entries."
