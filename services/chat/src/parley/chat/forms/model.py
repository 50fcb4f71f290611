"""A site's forms, and what a visitor has answered: frozen values, and the rules between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, cast

from parley.common.events.schemas import ConsentSchema, ContactField, FormAnswerSchema, TeamRef, VisitorFormSchema

FieldType = Literal["name", "email", "phone", "text", "long_text", "select", "checkbox"]
CONTACT_TYPES: tuple[FieldType, ...] = ("name", "email", "phone")
"""Their answers are the visitor's contact details; each type occurs at most once in a form, under its own name."""

MAX_FIELDS = 20
MAX_OPTIONS = 50
MAX_DEPARTMENTS = 20
MAX_TEXT_LENGTH = 1000
"""Of one answer."""
MAX_ANSWERS_LENGTH = 4000
"""Of all that a visitor has answered together: each event about their conversations carries it."""
MAX_CONSENT_TEXTS = 100
"""Texts of the consent that are kept, the newest."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One question. `options` are those of a `select`; `max_length` is that of a text."""

    key: str
    type: FieldType
    label: str = ""
    """Empty for a contact field: then the widget has the words, in the visitor's language."""
    required: bool = False
    options: tuple[str, ...] = ()
    max_length: int = MAX_TEXT_LENGTH


@dataclass(frozen=True, slots=True)
class ConsentText:
    """A text that visitors were asked to agree to. Kept, so that it can be shown what somebody has agreed to."""

    version: int
    text: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """What visitors are asked to agree to. Another text is another version."""

    text: str
    required: bool
    version: int = 0


@dataclass(frozen=True, slots=True)
class Department:
    """A choice of the visitor: their conversation goes to a team; with None, to whom the site's routing says."""

    team_id: int | None
    label: str


@dataclass(frozen=True, slots=True)
class PrechatForm:
    """Asked before a visitor begins a conversation."""

    enabled: bool = False
    title: str = ""
    intro: str = ""
    fields: tuple[FormField, ...] = ()


@dataclass(frozen=True, slots=True)
class OfflineForm:
    """Offered while the site is closed or nobody is there. It asks for a message, and always for an e-mail address."""

    enabled: bool = False
    replaces_chat: bool = False
    """Whether the widget shows it in place of the chat, unless a conversation is open."""
    title: str = ""
    intro: str = ""
    confirmation: str = ""
    """What the visitor reads when it was sent; empty for the widget's own text."""
    fields: tuple[FormField, ...] = ()
    label_id: int | None = None
    """A label for the conversations that come from it."""


@dataclass(frozen=True, slots=True)
class SiteForms:
    """The forms of a site, with what both ask: consent and department."""

    consent: Consent | None = None
    consent_texts: tuple[ConsentText, ...] = ()
    """The versions of the consent's text, the oldest first; also those of a consent that is no longer asked for."""
    departments: tuple[Department, ...] = ()
    prechat: PrechatForm = PrechatForm()
    offline: OfflineForm = OfflineForm()

    def with_consent(self, text: str, *, required: bool, at: datetime) -> SiteForms:
        """The forms with a consent. A text that differs from the last one gets the next version."""
        texts = self.consent_texts
        if not texts or texts[-1].text != text:
            version = texts[-1].version + 1 if texts else 1
            texts = (*texts, ConsentText(version, text, at))[-MAX_CONSENT_TEXTS:]
        return replace(self, consent=Consent(text, required, texts[-1].version), consent_texts=texts)

    def offers(self, team_id: int | None) -> bool:
        """Whether visitors may choose a team."""
        return any(department.team_id == team_id for department in self.departments)


@dataclass(frozen=True, slots=True)
class FormAnswer:
    """An answer to a field of the site's own, with the label that the field had."""

    key: str
    label: str
    value: str | bool


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """What a visitor has said to one version of the consent's text."""

    given: bool
    version: int
    at: datetime
    language: str | None = None
    """BCP 47: the language in which the visitor was asked."""


@dataclass(frozen=True, slots=True)
class VisitorForm:
    """All that a visitor has answered in the site's forms. Their name, e-mail and phone are contact details."""

    answered_at: datetime
    language: str | None = None
    prechat: bool = False
    """Whether the form before the chat was answered: then it is not asked again."""
    answers: tuple[FormAnswer, ...] = ()
    consent: GivenConsent | None = None
    department: TeamRef | None = None
    """The team that was chosen last, with the label of then."""

    def merge(self, later: VisitorForm) -> VisitorForm:
        """What is known after another form was answered: its answers replace those under the same key.

        Of the others the oldest are forgotten that would make it too long.
        """
        answered = {answer.key for answer in later.answers}
        earlier = [answer for answer in self.answers if answer.key not in answered]
        while earlier and answers_length((*earlier, *later.answers)) > MAX_ANSWERS_LENGTH:
            del earlier[0]
        return replace(
            later,
            prechat=self.prechat or later.prechat,
            answers=(*earlier, *later.answers),
            consent=later.consent or self.consent,
        )

    def has_consent(self, consent: Consent) -> bool:
        """Whether the visitor agreed to the present text."""
        return self.consent is not None and self.consent.given and self.consent.version == consent.version

    def to_schema(self) -> VisitorFormSchema:
        given = self.consent
        return VisitorFormSchema(
            answers=tuple(FormAnswerSchema(key=one.key, label=one.label, value=one.value) for one in self.answers),
            consent=given
            and ConsentSchema(given=given.given, version=given.version, language=given.language, at=given.at),
            department=self.department,
            language=self.language,
            answered_at=self.answered_at,
        )


@dataclass(frozen=True, slots=True)
class Questions:
    """What a form still asks a visitor."""

    fields: tuple[FormField, ...] = ()
    departments: tuple[Department, ...] = ()
    consent: Consent | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.fields or self.departments or self.consent)


def answers_length(answers: Sequence[FormAnswer]) -> int:
    """The length of all texts among answers."""
    return sum(len(answer.value) for answer in answers if isinstance(answer.value, str))


def unproved(fields: Sequence[FormField], proved: Mapping[str, str]) -> tuple[FormField, ...]:
    """The fields without those contact details that the visitor's site has proved."""
    return tuple(field for field in fields if not (field.type in CONTACT_TYPES and proved.get(field.type)))


def prechat_questions(forms: SiteForms, answered: VisitorForm | None, proved: Mapping[str, str]) -> Questions:
    """What a visitor must answer before they begin a conversation; empty if there is nothing.

    Who has answered is not asked again, but for a required consent to a text that has changed.
    """
    if not forms.prechat.enabled:
        return Questions()
    consent = forms.consent
    if answered is None or not answered.prechat:
        return Questions(unproved(forms.prechat.fields, proved), forms.departments, consent)
    needs_consent = consent is not None and consent.required and not answered.has_consent(consent)
    return Questions(consent=consent if needs_consent else None)


def offline_questions(forms: SiteForms, proved: Mapping[str, str]) -> Questions:
    """What the form asks, besides the message. Each message is one of its own: it asks everything each time."""
    return Questions(unproved(forms.offline.fields, proved), forms.departments, forms.consent)


def contact_field(field: FormField) -> ContactField | None:
    """Which contact detail a field asks for."""
    return cast("ContactField", field.type) if field.type in CONTACT_TYPES else None
