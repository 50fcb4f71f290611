"""Which passwords are refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from parley.chat.accounts.password_policy import find_weakness
from parley.chat.settings import ChatSettings
from parley.common.runtime.settings import format_errors

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


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "must have 10 to 256 characters"),
        ("password123", "is too easy to guess: it is among often used passwords, or made of few of them"),
        (EMAIL, "must not be your e-mail address"),
    ],
)
def test_the_first_owner_needs_a_password_that_the_api_accepts(password: str, reason: str) -> None:
    with pytest.raises(ValidationError) as failure:
        ChatSettings(
            env="development",
            identity_secret="5f0b7f0e9c1d4a7b8e2f6a3c9d0e1f2a",
            amqp_url="amqp://unused",
            mongodb_uri="mongodb://unused",
            owner_email=EMAIL,
            owner_password=password,
        )
    assert format_errors(ChatSettings, failure.value) == [("PARLEY_OWNER_PASSWORD", reason)]
