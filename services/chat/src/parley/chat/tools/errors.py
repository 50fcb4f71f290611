"""Errors about tools. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, NotFound

MAX_TOOLS = 30
"""Per site: each is described in every prompt."""


class ToolNotFound(NotFound):
    code = "not_found"


class ToolNameTaken(Conflict):
    code = "tool_name_taken"
    default_message = "Another tool of this site already has this name."


class TooManyTools(Conflict):
    code = "too_many_tools"
    default_message = f"A site can have at most {MAX_TOOLS} tools."
