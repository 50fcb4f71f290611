"""Opaque cursors: where a list goes on, as a short text that means nothing to its bearer."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from parley.common.errors import ValidationFailed


def encode_cursor(*position: Any) -> str:
    """The sort key of the last row shown."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type) -> list[Any]:
    """The position a cursor holds. Raises Invalid for anything `encode_cursor` did not make for this list."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position = orjson.loads(base64.b64decode(padded.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as exc:
        raise ValidationFailed({"cursor": "is not a cursor of this list"}) from exc
    fits = isinstance(position, list) and len(position) == len(kinds)
    if not fits or not all(type(value) is kind for value, kind in zip(position, kinds, strict=True)):
        raise ValidationFailed({"cursor": "is not a cursor of this list"})
    return list(position)
