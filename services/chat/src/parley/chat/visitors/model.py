"""Visitors as they are: frozen values, without storage or transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from parley.chat.forms.model import VisitorForm
from parley.common.events.schemas import AttributeValue, BlockType, ContactField, VisitorSchema

CONTACT_FIELDS: tuple[ContactField, ...] = ("name", "email", "phone")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A visitor of one site, identified by the public handle of their session."""

    tenant_id: int
    site_id: int
    session: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    info: Mapping[str, str] = field(default_factory=dict)
    """Free fields that operators fill in."""
    self_reported: Mapping[str, str] = field(default_factory=dict)
    """The name, email and phone that the visitor entered. The visitor is shown these: an operator may have written
    something else about them into `name`, `email` and `phone`."""
    external_id: str | None = None
    """The id under which the site knows this person, as its server has proved; None for an unidentified visitor."""
    proved: Mapping[str, str] = field(default_factory=dict)
    """The name, email and phone that the site's server has proved."""
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    """Further facts that the site's server has proved."""
    form: VisitorForm | None = None
    """What they answered in the site's forms."""
    language: str | None = None
    """BCP 47."""
    blocked: BlockType | None = None
    blocked_at: datetime | None = None
    lead_at: datetime | None = None
    """When the visitor first left an e-mail address or a telephone number."""
    version: int = 0
    """Grows with every change; the copy in a conversation is replaced by a higher version only."""
    expires_at: datetime | None = None
    """When the visitor is removed, unless they have written something, left an address or were blocked by then."""

    @property
    def key(self) -> str:
        """Unique over all sites."""
        return f"{self.site_id}:{self.session}"

    @property
    def own_details(self) -> Mapping[str, str]:
        """Name, email and phone that the visitor entered, or else that the page's own site has proved."""
        return {**self.proved, **self.self_reported}

    @property
    def verified_fields(self) -> tuple[ContactField, ...]:
        """Those contact details that are as the site's server has proved them, and not what somebody entered since."""
        return tuple(
            name for name in CONTACT_FIELDS if self.proved.get(name) and self.proved[name] == getattr(self, name)
        )

    def to_schema(self) -> VisitorSchema:
        return VisitorSchema(
            session_id=self.session,
            name=self.name,
            email=self.email,
            phone=self.phone,
            info=dict(self.info),
            language=self.language,
            blocked=self.blocked,
            verified=self.external_id is not None,
            external_id=self.external_id,
            verified_fields=self.verified_fields,
            attributes=dict(self.attributes),
            form=self.form and self.form.to_schema(),
        )


@dataclass(frozen=True, slots=True)
class DataSubject:
    """The session that a request for export or erasure names. Chat may hold nothing of it."""

    tenant_id: int
    site_id: int
    session: str

    @property
    def key(self) -> str:
        """Same as `Visitor.key`."""
        return f"{self.site_id}:{self.session}"
