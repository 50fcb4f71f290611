"""A site's forms, and what a visitor has answered, to and from MongoDB documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from parley.chat.forms.model import (
    Consent,
    ConsentText,
    Department,
    FormAnswer,
    FormField,
    GivenConsent,
    OfflineForm,
    PrechatForm,
    SiteForms,
    VisitorForm,
)
from parley.chat.newer_documents import known_fields
from parley.common.events.schemas import TeamRef
from parley.common.mongodb import Document


def forms_document(forms: SiteForms) -> Document:
    return asdict(forms)


def to_forms(document: Mapping[str, Any] | None) -> SiteForms:
    """Convert the forms; sites that earlier versions stored have none."""
    if document is None:
        return SiteForms()
    consent = document.get("consent")
    return SiteForms(
        Consent(**known_fields(Consent, consent)) if consent else None,
        tuple(ConsentText(**known_fields(ConsentText, text)) for text in document.get("consent_texts", ())),
        tuple(Department(**known_fields(Department, department)) for department in document.get("departments", ())),
        PrechatForm(**_to_form(PrechatForm, document.get("prechat", {}))),
        OfflineForm(**_to_form(OfflineForm, document.get("offline", {}))),
    )


def _to_form(form_class: type[PrechatForm | OfflineForm], document: Mapping[str, Any]) -> Document:
    return {**known_fields(form_class, document), "fields": tuple(map(_to_field, document.get("fields", ())))}


def _to_field(document: Mapping[str, Any]) -> FormField:
    known = known_fields(FormField, document)
    return FormField(**{**known, "options": tuple(known.get("options", ()))})


def visitor_form_document(form: VisitorForm | None) -> Document | None:
    if form is None:
        return None
    department = form.department
    return {
        "answered_at": form.answered_at,
        "language": form.language,
        "prechat": form.prechat,
        "answers": [asdict(answer) for answer in form.answers],
        "consent": asdict(form.consent) if form.consent else None,
        "department": department.model_dump() if department else None,
    }


def to_visitor_form(document: Mapping[str, Any] | None) -> VisitorForm | None:
    if document is None:
        return None
    consent, department = document.get("consent"), document.get("department")
    return VisitorForm(
        document["answered_at"],
        document.get("language"),
        document.get("prechat", False),
        tuple(FormAnswer(**known_fields(FormAnswer, answer)) for answer in document.get("answers", ())),
        GivenConsent(**known_fields(GivenConsent, consent)) if consent else None,
        TeamRef(**department) if department else None,
    )
