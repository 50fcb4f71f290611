"""Checks what a visitor has answered against the fields of a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from parley.chat.forms.model import MAX_ANSWERS_LENGTH, FormAnswer, FormField, answers_length, contact_field
from parley.chat.visitors.emails import normalize_email
from parley.chat.visitors.phones import normalize_phone
from parley.common.errors import ValidationFailed
from parley.common.texts import without_directions

Value = str | bool

_REQUIRED = "must be answered"
_MAX_NAME_LENGTH, _MAX_EMAIL_LENGTH, _MAX_PHONE_LENGTH = 200, 254, 60


@dataclass(slots=True)
class CheckedAnswers:
    """Valid answers: the contact details among them, and those to the site's own fields."""

    contact: dict[str, str] = field(default_factory=dict)
    answers: list[FormAnswer] = field(default_factory=list)


def check_answers(fields: tuple[FormField, ...], given: Mapping[str, Value], *, complete: bool) -> CheckedAnswers:
    """Check and normalize the answers to some fields; those to others are ignored.

    With `complete`, required fields must be answered. Raises ValidationFailed, which names each field as
    `answers.<key>`.
    """
    checked, errors = CheckedAnswers(), dict[str, str]()
    for one in fields:
        try:
            _check(one, given.get(one.key), checked, required=one.required and complete)
        except ValueError as exc:
            errors[f"answers.{one.key}"] = str(exc)
    if answers_length(checked.answers) > MAX_ANSWERS_LENGTH:
        errors["answers"] = f"must have at most {MAX_ANSWERS_LENGTH} characters together"
    if errors:
        raise ValidationFailed(errors)
    return checked


def _check(one: FormField, value: Value | None, checked: CheckedAnswers, *, required: bool) -> None:
    """Add one answer, unless it is empty. Raises ValueError."""
    if one.type == "checkbox":
        if value is not None and not isinstance(value, bool):
            raise ValueError("must be true or false")
        if required and not value:
            raise ValueError("must be checked")
        if value is not None:
            checked.answers.append(FormAnswer(one.key, one.label, value))
        return
    if isinstance(value, bool):
        raise ValueError("must be a text")
    text = _normalize(one, (value or "").strip())
    if not text:
        if required:
            raise ValueError(_REQUIRED)
        return
    detail = contact_field(one)
    if detail is not None:
        checked.contact[detail] = text
    else:
        checked.answers.append(FormAnswer(one.key, one.label, text))


def _normalize(one: FormField, text: str) -> str:
    match one.type:
        case "email":
            return normalize_email(_limit(text, _MAX_EMAIL_LENGTH)) if text else ""
        case "phone":
            return normalize_phone(_limit(text, _MAX_PHONE_LENGTH))
        case "name":
            return _limit(_one_line(text), _MAX_NAME_LENGTH)
        case "select":
            if text and text not in one.options:
                raise ValueError("is not one of the options")
            return text
        case "long_text":
            return _limit(text, one.max_length)
        case _:
            return _limit(_one_line(text), one.max_length)


def _one_line(text: str) -> str:
    return " ".join(without_directions(text).split())


def _limit(text: str, length: int) -> str:
    if len(text) > length:
        raise ValueError(f"must have at most {length} characters")
    return text
