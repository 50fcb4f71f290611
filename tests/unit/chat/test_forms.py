"""What a form accepts, and what it still asks a visitor."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from parley.chat.forms.answers import check_answers
from parley.chat.forms.model import (
    MAX_ANSWERS_LENGTH,
    Consent,
    FormAnswer,
    FormField,
    GivenConsent,
    PrechatForm,
    SiteForms,
    VisitorForm,
    answers_length,
    prechat_questions,
)
from parley.common.errors import ValidationFailed

AT = datetime(2026, 5, 4, tzinfo=UTC)
NAME = FormField("name", "name", required=True)
EMAIL = FormField("email", "email", required=True)
PHONE = FormField("phone", "phone")
ORDER = FormField("order", "text", "Order", required=True, max_length=8)
STORY = FormField("story", "long_text", "Story")
TOPIC = FormField("topic", "select", "Topic", required=True, options=("Sales", "Support"))
NEWS = FormField("news", "checkbox", "News", required=True)
FIELDS = (NAME, EMAIL, PHONE, ORDER, STORY, TOPIC, NEWS)
VALID: dict[str, Any] = {
    "name": " Jane\n Doe ",
    "email": "Jane@EXAMPLE.com",
    "order": "4711",
    "topic": "Sales",
    "news": True,
}


def test_answers_are_normalized_and_contact_details_are_told_apart() -> None:
    checked = check_answers(FIELDS, {**VALID, "story": "One\ntwo", "phone": "", "unknown": "x"}, complete=True)
    assert checked.contact == {"name": "Jane Doe", "email": "Jane@example.com"}
    assert checked.answers == [
        FormAnswer("order", "Order", "4711"),
        FormAnswer("story", "Story", "One\ntwo"),
        FormAnswer("topic", "Topic", "Sales"),
        FormAnswer("news", "News", value=True),
    ]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"email": "nobody"}, "email"),
        ({"email": None}, "email"),
        ({"phone": "call me"}, "phone"),
        ({"order": "x" * 9}, "order"),
        ({"order": True}, "order"),
        ({"topic": "Other"}, "topic"),
        ({"news": False}, "news"),
        ({"news": "yes"}, "news"),
    ],
)
def test_an_invalid_answer_is_named(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationFailed) as raised:
        check_answers(FIELDS, {**VALID, **changed}, complete=True)
    assert list(raised.value.fields) == [f"answers.{named}"]


def test_all_answers_together_are_limited() -> None:
    fields = tuple(FormField(f"f{index}", "text", "F") for index in range(5))
    with pytest.raises(ValidationFailed) as raised:
        check_answers(fields, {field.key: "x" * 1000 for field in fields}, complete=True)
    assert list(raised.value.fields) == ["answers"]
    half = tuple(FormAnswer(f"f{index}", "F", "x" * 1000) for index in range(4))
    later = VisitorForm(AT, answers=(FormAnswer("new", "New", "y" * 500),))
    merged = VisitorForm(AT, answers=half).merge(later)
    assert [answer.key for answer in merged.answers] == ["f1", "f2", "f3", "new"], "the oldest is forgotten"
    assert answers_length(merged.answers) <= MAX_ANSWERS_LENGTH


def test_who_has_answered_is_asked_again_only_for_a_required_consent_to_another_text() -> None:
    consent = Consent("I agree", required=True, version=2)
    forms = SiteForms(consent=consent, prechat=PrechatForm(enabled=True, fields=(NAME, EMAIL, ORDER)))
    first = prechat_questions(forms, None, {"email": "jane@example.com"})
    assert (first.fields, first.consent) == ((NAME, ORDER), consent), "what the site has proved is not asked"
    answered = VisitorForm(AT, prechat=True, consent=GivenConsent(given=True, version=2, at=AT))
    assert prechat_questions(forms, answered, {}).is_empty
    earlier = replace(answered, consent=GivenConsent(given=True, version=1, at=AT))
    again = prechat_questions(forms, earlier, {})
    assert (again.fields, again.departments, again.consent) == ((), (), consent)
    optional = replace(forms, consent=replace(consent, required=False))
    assert prechat_questions(optional, earlier, {}).is_empty
    only_offline = replace(answered, prechat=False)
    assert prechat_questions(forms, only_offline, {}).fields == (NAME, EMAIL, ORDER)
    assert prechat_questions(replace(forms, prechat=PrechatForm(fields=(NAME,))), None, {}).is_empty, "it is off"


def test_another_text_of_the_consent_is_another_version() -> None:
    forms = SiteForms().with_consent("One", required=True, at=AT)
    forms = forms.with_consent("One", required=False, at=AT)
    assert (forms.consent, len(forms.consent_texts)) == (Consent("One", required=False, version=1), 1)
    forms = replace(forms, consent=None).with_consent("Two", required=True, at=AT)
    assert forms.consent is not None
    assert forms.consent.version == 2
    assert [(text.version, text.text) for text in forms.consent_texts] == [(1, "One"), (2, "Two")]
