"""Errors about triggers. `code` is part of the API."""

from __future__ import annotations

from parley.chat.triggers.model import MAX_TRIGGERS_PER_SITE
from parley.common.errors import Conflict, NotFound


class TriggerNotFound(NotFound):
    code = "not_found"


class TooManyTriggers(Conflict):
    code = "too_many_triggers"
    default_message = f"A site can have at most {MAX_TRIGGERS_PER_SITE} triggers."
