"""Errors about canned replies. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, NotFound

MAX_REPLIES = 500
"""For each audience: an operator, a site, the team."""


class CannedReplyNotFound(NotFound):
    code = "not_found"


class ShortcutTaken(Conflict):
    code = "shortcut_taken"
    default_message = "Another canned reply already has this shortcut."


class TooManyCannedReplies(Conflict):
    code = "too_many_canned_replies"
    default_message = f"There can be at most {MAX_REPLIES} canned replies for an operator, a site or the team."
