"""Which passwords are refused."""

from __future__ import annotations

import pytest

from parley.chat.accounts.password_policy import find_weakness

EMAIL = "olivia.owner@parley.test"


@pytest.mark.parametrize(
    "password",
    ["password123", "Password123!", "1234567890", "qwertyuiop", "iloveyou123", "P@ssw0rd123", "aaaaaaaaaa", "abc" * 80],
)
def test_passwords_from_lists_of_breached_ones_are_refused(password: str) -> None:
    assert "easy to guess" in (find_weakness(password, EMAIL) or "")


@pytest.mark.parametrize("password", [EMAIL, EMAIL.upper(), "olivia.owner", " Olivia.Owner "])
def test_the_email_address_is_refused(password: str) -> None:
    assert find_weakness(password, EMAIL) == "must not be your e-mail address"


@pytest.mark.parametrize(
    "password", ["correct-horse-battery", "a long enough password", "пароль которого нет", "x7" * 20 + "Qz!k"]
)
def test_other_passwords_are_accepted(password: str) -> None:
    assert find_weakness(password, EMAIL) is None
