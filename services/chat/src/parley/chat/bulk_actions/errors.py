"""Errors about bulk actions. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, NotFound


class BulkActionNotFound(NotFound):
    code = "not_found"


class UndoExpired(Conflict):
    code = "undo_expired"
    default_message = "This can no longer be undone."
