"""Request bodies and responses of a site's forms, and what visitors are asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, model_validator

from parley.chat.common_fields import single_direction
from parley.chat.forms.model import (
    CONTACT_TYPES,
    MAX_DEPARTMENTS,
    MAX_FIELDS,
    MAX_OPTIONS,
    MAX_TEXT_LENGTH,
    Department,
    FieldType,
    FormField,
    OfflineForm,
    PrechatForm,
    Questions,
    SiteForms,
)
from parley.chat.forms.settings_service import ConsentDraft, FormsDraft
from parley.common.events.schemas import Timestamp
from parley.common.http import Id, RequestBody, SuccessResponse

_LINE = StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
Line = Annotated[str, BeforeValidator(single_direction), _LINE]
Label = Annotated[str, BeforeValidator(single_direction), _LINE, StringConstraints(min_length=1)]
Option = Annotated[
    str,
    BeforeValidator(single_direction),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
ConsentContent = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
FieldKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$", max_length=40)]


class FieldBody(RequestBody):
    """One question of a form."""

    key: FieldKey = Field(description="Names the answer. Of name, email and phone it is the type itself.")
    type: FieldType
    label: Line = Field("", description="Needed for own fields; empty for the widget's words for name, email, phone.")
    required: bool = False
    options: Annotated[list[Option], Field(max_length=MAX_OPTIONS)] = Field(
        default_factory=list, description="What can be chosen in a `select`."
    )
    max_length: Annotated[int, Field(ge=1, le=MAX_TEXT_LENGTH)] = Field(
        MAX_TEXT_LENGTH, description="Of the answer to a `text` or `long_text`."
    )

    @model_validator(mode="after")
    def _check(self) -> FieldBody:
        if (self.type in CONTACT_TYPES) != (self.key in CONTACT_TYPES) or (
            self.type in CONTACT_TYPES and self.key != self.type
        ):
            raise ValueError("key: name, email and phone are the keys of these types, and of no others")
        if self.type not in CONTACT_TYPES and not self.label:
            raise ValueError("label: must not be empty")
        if self.type == "select" and not self.options:
            raise ValueError("options: a select needs at least one")
        if len(set(self.options)) != len(self.options):
            raise ValueError("options: each must differ from the others")
        return self

    def to_field(self) -> FormField:
        options = tuple(self.options) if self.type == "select" else ()
        return FormField(self.key, self.type, self.label, self.required, options, self.max_length)


def _check_keys(fields: list[FieldBody]) -> list[FieldBody]:
    if len({field.key for field in fields}) != len(fields):
        raise ValueError("each key must differ from the others")
    return fields


Fields = Annotated[list[FieldBody], Field(max_length=MAX_FIELDS), AfterValidator(_check_keys)]


class _FormBody(RequestBody):
    enabled: bool = False
    title: Line = ""
    intro: Text = ""
    fields: Fields = Field(default_factory=list, description="In the order in which they are asked.")

    def to_fields(self) -> tuple[FormField, ...]:
        return tuple(field.to_field() for field in self.fields)


class PrechatFormBody(_FormBody):
    """Asked before a visitor begins a conversation."""

    def to_form(self) -> PrechatForm:
        return PrechatForm(self.enabled, self.title, self.intro, self.to_fields())


class OfflineFormBody(_FormBody):
    """Offered while the site is closed or nobody is there; it always asks for an e-mail address and a message."""

    replaces_chat: bool = Field(
        False, description="Whether the widget shows it in place of the chat, unless a conversation is open."
    )
    confirmation: Text = Field("", description="What the visitor reads when it was sent; empty for the widget's text.")
    label_id: Id | None = Field(None, description="A label for the conversations that come from it.")

    def to_form(self) -> OfflineForm:
        return OfflineForm(
            self.enabled,
            self.replaces_chat,
            self.title,
            self.intro,
            self.confirmation,
            self.to_fields(),
            self.label_id,
        )


class ConsentBody(RequestBody):
    """What visitors are asked to agree to, in both forms. Another text is another version."""

    text: ConsentContent = Field(description="Markdown; links are `[text](https://…)`.")
    required: bool = True


class DepartmentBody(RequestBody):
    team_id: Id | None = Field(description="A team of the site; null leaves the choice to the site's routing.")
    label: Label


def _check_teams(departments: list[DepartmentBody]) -> list[DepartmentBody]:
    if len({department.team_id for department in departments}) != len(departments):
        raise ValueError("each team can stand there once")
    return departments


Departments = Annotated[list[DepartmentBody], Field(max_length=MAX_DEPARTMENTS), AfterValidator(_check_teams)]


class FormsBody(RequestBody):
    """The site's forms, replaced as a whole."""

    consent: ConsentBody | None = None
    departments: Departments = Field(
        default_factory=list, description="Teams that visitors choose from, in both forms; empty asks for none."
    )
    prechat: PrechatFormBody = Field(default_factory=PrechatFormBody)
    offline: OfflineFormBody = Field(default_factory=OfflineFormBody)

    def to_draft(self) -> FormsDraft:
        return FormsDraft(
            ConsentDraft(self.consent.text, self.consent.required) if self.consent else None,
            tuple(Department(one.team_id, one.label) for one in self.departments),
            self.prechat.to_form(),
            self.offline.to_form(),
        )


class FieldSchema(BaseModel):
    key: str
    type: FieldType
    label: str
    required: bool
    options: list[str]
    max_length: int


class ConsentTextSchema(BaseModel):
    version: int
    text: str
    since: Timestamp


class ConsentFormSchema(BaseModel):
    text: str = Field(description="Markdown.")
    required: bool
    version: int = Field(description="Of the text; an answer names it.")


class DepartmentSchema(BaseModel):
    team_id: int | None
    label: str


class PrechatFormSchema(BaseModel):
    enabled: bool
    title: str
    intro: str
    fields: list[FieldSchema]


class OfflineFormSchema(PrechatFormSchema):
    replaces_chat: bool
    confirmation: str
    label_id: int | None


class SiteFormsSchema(BaseModel):
    consent: ConsentFormSchema | None
    departments: list[DepartmentSchema]
    prechat: PrechatFormSchema
    offline: OfflineFormSchema


class FormsResponse(SuccessResponse):
    forms: SiteFormsSchema
    consent_texts: list[ConsentTextSchema] = Field(description="What each version of the consent's text says.")


def serialize_forms(forms: SiteForms) -> FormsResponse:
    return FormsResponse(
        forms=SiteFormsSchema.model_validate(forms, from_attributes=True),
        consent_texts=[ConsentTextSchema.model_validate(text, from_attributes=True) for text in forms.consent_texts],
    )


class AskedFieldSchema(FieldSchema):
    value: str | None = Field(None, description="What you have entered before, of name, email and phone.")


class AskedFormSchema(BaseModel):
    """What a form asks you; POST /api/v1/chat/form answers it."""

    title: str
    intro: str
    fields: list[AskedFieldSchema]
    departments: list[DepartmentSchema]
    consent: ConsentFormSchema | None


class AskedOfflineFormSchema(AskedFormSchema):
    """The form for times when nobody is there; POST /api/v1/chat/offline-form answers it."""

    replaces_chat: bool
    confirmation: str


def serialize_prechat(form: PrechatForm, asked: Questions, known: Mapping[str, str]) -> AskedFormSchema:
    return AskedFormSchema(**_asked(form, asked, known))


def serialize_offline(form: OfflineForm, asked: Questions, known: Mapping[str, str]) -> AskedOfflineFormSchema:
    return AskedOfflineFormSchema(
        **_asked(form, asked, known), replaces_chat=form.replaces_chat, confirmation=form.confirmation
    )


def _asked(form: PrechatForm | OfflineForm, asked: Questions, known: Mapping[str, str]) -> dict[str, Any]:
    """`known`: the visitor's contact details, as they entered them."""
    fields = [FieldSchema.model_validate(field, from_attributes=True) for field in asked.fields]
    return {
        "title": form.title,
        "intro": form.intro,
        "fields": [AskedFieldSchema(**field.model_dump(), value=known.get(field.key)) for field in fields],
        "departments": [DepartmentSchema.model_validate(one, from_attributes=True) for one in asked.departments],
        "consent": asked.consent and ConsentFormSchema.model_validate(asked.consent, from_attributes=True),
    }
