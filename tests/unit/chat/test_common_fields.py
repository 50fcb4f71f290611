"""Fields of request bodies: accepted and rejected values."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from parley.chat.common_fields import AccountEmail, Email, Language, Name
from parley.chat.sites.chatbot_schemas import ChatbotBody
from parley.chat.sites.schemas import Domain


@pytest.mark.parametrize("name", ["Alex", "  Alex ", "Zoë O’Neill-Smith", "李雷", "x" * 100])
def test_a_name_is_stripped(name: str) -> None:
    assert TypeAdapter(Name).validate_python(name) == name.strip()


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "nul\x00", "x" * 101])
def test_a_name_that_is_blank_or_has_control_characters_is_rejected(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)


@pytest.mark.parametrize("email", ["a@b.test", "First.Last+tag@mail.example.com", "owner@localhost"])
def test_the_email_of_an_account_is_lower_cased(email: str) -> None:
    assert TypeAdapter(AccountEmail).validate_python(email) == email.lower()


@pytest.mark.parametrize(
    "email", ["", "a", "@b.test", "a@", "a@b@c.test", "a b@c.test", "a@b..test", "a@b.test\n", "<a@b.test>", "ü" * 255]
)
def test_an_invalid_email_is_rejected(email: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(AccountEmail).validate_python(email)


def test_the_email_of_a_visitor_is_stripped_and_keeps_its_case() -> None:
    assert TypeAdapter(Email).validate_python(" Jane.Doe@Example.com ") == "Jane.Doe@example.com"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Shop.Example.com", "shop.example.com"),
        ("https://shop.example.com/", "shop.example.com"),
        ("*.example.com", "*.example.com"),
        ("localhost:3000", "localhost"),
    ],
)
def test_a_domain_is_reduced_to_its_host_name(given: str, expected: str) -> None:
    assert TypeAdapter(Domain).validate_python(given) == expected


@pytest.mark.parametrize("domain", ["", "*", "a.*.com", "a b", "https://a.test/page", "javascript:alert(1)", "a..b"])
def test_an_invalid_domain_is_rejected(domain: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Domain).validate_python(domain)


@pytest.mark.parametrize("language", ["e", "english", "en_GB", "en-", "x" * 40])
def test_an_invalid_language_tag_is_rejected(language: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Language).validate_python(language)


def test_unknown_chatbot_settings_are_ignored() -> None:
    body = ChatbotBody.model_validate({"name": "Robin", "site_id": 5, "version": 9})
    assert body.model_dump(exclude_none=True) == {"name": "Robin"}
