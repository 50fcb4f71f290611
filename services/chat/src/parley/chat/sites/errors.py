"""Errors about sites. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import NotFound


class SiteNotFound(NotFound):
    code = "not_found"
