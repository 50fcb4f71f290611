"""Errors about gaps. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, NotFound


class GapNotFound(NotFound):
    code = "not_found"


class GapAnswered(Conflict):
    code = "gap_answered"
    default_message = "An entry was made from this gap already. Open the gap again to make another one."
