"""Opaque cursors for lists: the position of the next page, as a short text."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from parley.common.errors import ValidationFailed

_MAX_INT64 = 2**63 - 1


def encode_cursor(*position: Any) -> str:
    """Encode the sort key of a page's last row."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type) -> list[Any]:
    """Decode the sort key, whose values must have these types. Raises ValidationFailed for an invalid cursor."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position = orjson.loads(base64.b64decode(padded.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as exc:
        raise ValidationFailed({"cursor": "is not a cursor of this list"}) from exc
    is_valid = isinstance(position, list) and len(position) == len(types)
    if not is_valid or not all(_is_storable(value, type_) for value, type_ in zip(position, types, strict=True)):
        raise ValidationFailed({"cursor": "is not a cursor of this list"})
    return list(position)


def _is_storable(value: Any, type_: type) -> bool:
    """Return whether a value has this type, and can be compared with what the database stores."""
    if type(value) is not type_:
        return False
    return not isinstance(value, int) or -_MAX_INT64 <= value <= _MAX_INT64
