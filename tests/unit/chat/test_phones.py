"""Telephone numbers as people write them."""

from __future__ import annotations

import pytest

from parley.chat.visitors.phones import normalize_phone, phone_digits


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("+49 (0)170 1234567", "+49 (0)170 1234567"),
        ("0170/1234567", "0170/1234567"),
        ("٠١٧٠١٢٣٤", "01701234"),
        ("۰۹۱۲۳۴۵۶۷۸۹", "09123456789"),
        ("＋４９１７０１２３", "+49170123"),
        ("tel:+491701234567", "+491701234567"),
        ("TEL: 110", "110"),
        ("+1 555 0100 x12", "+1 555 0100 x12"),
        ("(555) 555-0100 ext. 7", "(555) 555-0100 ext. 7"),
        ("555-0100#12", "555-0100#12"),
        ("0170–1234567", "0170-1234567"),
        ("+49\u00a0170\u202f1234567", "+49 170 1234567"),
        ("\u200e+49 170 1234567\u200f", "+49 170 1234567"),
        ("Tel. 0170 1234567", "0170 1234567"),
        ("mobile: 0170 1234567", "0170 1234567"),
        ("callto:+491701234567", "+491701234567"),
        ("tel:+49-170-1234567;ext=5", "+49-170-1234567 ext 5"),
        ("☎ 0170·1234567", "0170.1234567"),
        ("03ー1234ー5678", "03-1234-5678"),
        ("  ", ""),
    ],
)
def test_a_number_is_accepted(written: str, kept: str) -> None:
    assert normalize_phone(written) == kept


@pytest.mark.parametrize(
    "text",
    [
        "abc+1231",
        "((((",
        "...",
        "1" * 60,
        "+++---",
        "12",
        "+1+2345678",
        "call me",
        "12345 ext",
        "x12",
        "1234<b>",
        "00000000",
        "+0 123 456",
        "+999 123 4567",
        "12:30",
        "1-800-FLOWERS",
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="telephone number"):
        normalize_phone(text)


def test_a_number_is_found_with_and_without_its_prefix() -> None:
    assert phone_digits("+49 (0)170 1234567") == ["4901701234567", "491701234567", "01701234567", "1701234567"]
    assert phone_digits("0170/1234567 ext 9") == ["01701234567"]
    assert phone_digits("call me") == []
