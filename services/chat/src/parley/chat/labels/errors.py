"""Errors about labels. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, NotFound

MAX_LABELS = 200
"""For each audience: a site, the team."""


class LabelNotFound(NotFound):
    code = "not_found"


class LabelNameTaken(Conflict):
    code = "label_name_taken"
    default_message = "Another label already has this name."


class TooManyLabels(Conflict):
    code = "too_many_labels"
    default_message = f"There can be at most {MAX_LABELS} labels of a site or of the team."
