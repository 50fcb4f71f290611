"""Errors about corrections. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, NotFound


class CorrectionNotFound(NotFound):
    code = "not_found"


class AnswerNotFound(NotFound):
    """There is no such message, or it is not the AI's."""

    code = "not_found"


class CorrectionApplied(Conflict):
    code = "correction_applied"
    default_message = "This correction is in the knowledge already."
