"""Cursors of lists: clients may change them, and every value that no list can hold is rejected."""

from __future__ import annotations

import base64

import pytest

from parley.common.errors import ValidationFailed
from parley.common.http import decode_cursor, encode_cursor


def encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("position", [(1, "a"), (0, ""), (2**63 - 1, "é"), (-(2**63) + 1, "\0")])
def test_position_is_decoded_as_it_was_encoded(position: tuple[int, str]) -> None:
    assert decode_cursor(encode_cursor(*position), int, str) == list(position)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "%",
        "é",
        "\0",
        *map(
            encode,
            (
                "",
                "null",
                "1",
                "[1]",
                '["1", "a"]',
                '[true, "a"]',
                '[1.0, "a"]',
                '[1e999, "a"]',
                "[1, null]",
                '[1, "\\ud800"]',
                '[{"$gt": 1}, "a"]',
                f'[{2**63}, "a"]',
                f'[{2**64 - 1}, "a"]',
                f'[{2**64}, "a"]',
                f'[{-(2**63) - 1}, "a"]',
                f'[{10**400}, "a"]',
                "[" * 5000,
            ),
        ),
    ],
)
def test_cursor_of_no_list_is_rejected(cursor: str) -> None:
    with pytest.raises(ValidationFailed) as raised:
        decode_cursor(cursor, int, str)
    assert set(raised.value.fields) == {"cursor"}
