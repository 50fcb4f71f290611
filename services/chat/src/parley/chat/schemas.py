"""Responses that several features share."""

from __future__ import annotations

from parley.common.http import SuccessResponse


class OkResponse(SuccessResponse):
    """A success without data."""
