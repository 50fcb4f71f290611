"""Errors about saved views. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, NotFound

MAX_VIEWS = 50
"""For each audience: an operator, a site, the team."""


class ViewNotFound(NotFound):
    code = "not_found"


class ViewNameTaken(Conflict):
    code = "view_name_taken"
    default_message = "Another view already has this name."


class TooManyViews(Conflict):
    code = "too_many_views"
    default_message = f"There can be at most {MAX_VIEWS} views for an operator, a site or the team."
