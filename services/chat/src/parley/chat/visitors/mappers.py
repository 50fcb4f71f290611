"""Visitors to and from MongoDB documents."""

from __future__ import annotations

from parley.chat.forms.mappers import to_visitor_form, visitor_form_document
from parley.chat.visitors.model import Visitor
from parley.common.mongodb import Document


def visitor_document(visitor: Visitor) -> Document:
    return {
        "tenant_id": visitor.tenant_id,
        "site_id": visitor.site_id,
        "session": visitor.session,
        "name": visitor.name,
        "email": visitor.email,
        "phone": visitor.phone,
        "info": dict(visitor.info),
        "given": dict(visitor.self_reported),
        "external_id": visitor.external_id,
        "proved": dict(visitor.proved),
        "attributes": dict(visitor.attributes),
        "form": visitor_form_document(visitor.form),
        "language": visitor.language,
        "blocked": visitor.blocked,
        "blocked_at": visitor.blocked_at,
        "lead_at": visitor.lead_at,
        "version": visitor.version,
    }


def to_visitor(document: Document) -> Visitor:
    return Visitor(
        tenant_id=document["tenant_id"],
        site_id=document["site_id"],
        session=document["session"],
        name=document.get("name"),
        email=document.get("email"),
        phone=document.get("phone"),
        info=document.get("info") or {},
        self_reported={name: value for name, value in (document.get("given") or {}).items() if value is not None},
        # Absent from documents of earlier versions.
        external_id=document.get("external_id"),
        proved=document.get("proved") or {},
        attributes=document.get("attributes") or {},
        form=to_visitor_form(document.get("form")),
        language=document.get("language"),
        blocked=document.get("blocked"),
        blocked_at=document.get("blocked_at"),
        lead_at=document.get("lead_at"),
        version=document.get("version", 0),
        expires_at=document.get("expires_at"),
    )
