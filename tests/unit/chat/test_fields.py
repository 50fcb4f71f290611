"""What the administration's bodies take, and what they refuse."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from parley.chat.common_fields import Email, Language, Name
from parley.chat.sites.chatbot_handlers import ChatbotBody
from parley.chat.sites.handlers import Domain


@pytest.mark.parametrize("name", ["Alex", "  Alex ", "Zoë O’Neill-Smith", "李雷", "x" * 100])
def test_a_name_is_a_line_of_text(name: str) -> None:
    assert TypeAdapter(Name).validate_python(name) == name.strip()


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "nul\x00", "x" * 101])
def test_a_name_is_not_empty_and_holds_no_control_characters(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)


@pytest.mark.parametrize("email", ["a@b.test", "First.Last+tag@mail.example.com", "owner@localhost"])
def test_an_address_is_lower_cased(email: str) -> None:
    assert TypeAdapter(Email).validate_python(email) == email.lower()


@pytest.mark.parametrize(
    "email", ["", "a", "@b.test", "a@", "a@b@c.test", "a b@c.test", "a@b..test", "a@b.test\n", "<a@b.test>", "ü" * 255]
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Email).validate_python(email)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Shop.Example.com", "shop.example.com"),
        ("https://shop.example.com/", "shop.example.com"),
        ("*.example.com", "*.example.com"),
        ("localhost:3000", "localhost"),
    ],
)
def test_a_domain_is_what_was_pasted_without_the_rest_of_the_address(given: str, kept: str) -> None:
    assert TypeAdapter(Domain).validate_python(given) == kept


@pytest.mark.parametrize("domain", ["", "*", "a.*.com", "a b", "https://a.test/page", "javascript:alert(1)", "a..b"])
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Domain).validate_python(domain)


@pytest.mark.parametrize("language", ["e", "english", "en_GB", "en-", "x" * 40])
def test_what_is_no_language_tag_is_refused(language: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Language).validate_python(language)


def test_settings_that_are_not_settings_are_left_out() -> None:
    body = ChatbotBody.model_validate({"name": "Robin", "site_id": 5, "version": 9})
    assert body.model_dump(exclude_none=True) == {"name": "Robin"}
