"""Request and response bodies of sites."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from parley.chat.common_fields import Language, Name
from parley.chat.sites.chatbot import Routing
from parley.chat.sites.model import Site, SiteDraft
from parley.chat.sites.routing_schemas import RoutingSchema, serialize_routing
from parley.common.auth.identity import Permission
from parley.common.events.schemas import Timestamp
from parley.common.http import RequestBody, SuccessResponse


def _host_name(domain: str) -> str:
    """Reduce a URL pasted from a browser to its host name: a site's domains cover every port."""
    return domain.lower().removeprefix("https://").removeprefix("http://").rstrip("/").partition(":")[0]


Domain = Annotated[
    str,
    StringConstraints(max_length=262, pattern=r"^(https?://)?(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?/?$"),
    AfterValidator(_host_name),
]
"""A host name, or `*.` and a parent domain for all names below it."""
Domains = Annotated[list[Domain], Field(max_length=50)]
PageParameter = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\[\]-]{1,64}$")]
PageParameters = Annotated[
    list[PageParameter],
    Field(max_length=20, description="Parameters of a page's query that operators see; all others are dropped."),
]
Sound = Annotated[
    bool, Field(description="Whether new messages make a sound in the widget, as long as the visitor has not chosen.")
]
ReadReceipts = Annotated[bool, Field(description="Whether the widget shows that an operator has read a message.")]
TranscriptEmail = Annotated[
    bool,
    Field(description="Whether visitors and operators can have a chat sent by e-mail, if the installation sends mail."),
]
PageTracking = Annotated[bool, Field(description="Whether operators see which page a visitor is on.")]


class CreateSiteBody(RequestBody):
    name: Name
    domains: Domains = Field(default_factory=list)
    any_origin: bool = False
    language: Language = "en"
    page_tracking: PageTracking = True
    page_parameters: PageParameters = Field(default_factory=list)
    sound: Sound = True
    read_receipts: ReadReceipts = True
    transcript_email: TranscriptEmail = True

    def to_draft(self) -> SiteDraft:
        return SiteDraft(
            self.name,
            _without_duplicates(self.domains),
            self.any_origin,
            self.language,
            self.page_tracking,
            _without_duplicates(self.page_parameters),
            self.sound,
            self.read_receipts,
            self.transcript_email,
        )


class UpdateSiteBody(RequestBody):
    """Fields that are absent stay unchanged."""

    name: Name | None = None
    domains: Domains | None = None
    any_origin: bool | None = None
    language: Language | None = None
    page_tracking: PageTracking | None = None
    page_parameters: PageParameters | None = None
    sound: Sound | None = None
    read_receipts: ReadReceipts | None = None
    transcript_email: TranscriptEmail | None = None

    def to_fields(self) -> dict[str, Any]:
        """Return the fields of Site to replace."""
        fields = self.model_dump(exclude_none=True)
        if self.domains is not None:
            fields["domains"] = _without_duplicates(self.domains)
        if self.page_parameters is not None:
            fields["page_parameters"] = _without_duplicates(self.page_parameters)
        return fields


class SiteSchema(BaseModel):
    id: int
    name: str
    site_key: str
    domains: list[str]
    any_origin: bool
    language: str
    page_tracking: bool
    page_parameters: list[str]
    sound: bool
    read_receipts: bool
    transcript_email: bool
    sends_mail: bool = Field(description="Whether the installation sends mail.")
    routing: Routing = Field(description="Who is notified of a waiting visitor, as in the assistant's settings.")
    assignment: RoutingSchema
    created_at: Timestamp


class SiteResponse(SuccessResponse):
    site: SiteSchema


class SiteListResponse(SuccessResponse):
    sites: list[SiteSchema]
    next_cursor: str | None


class WidgetCodeResponse(SuccessResponse):
    code: str
    tag_manager_code: str = Field(description="For tag managers and loaders, which drop a script tag's attributes.")


class MyAccessResponse(SuccessResponse):
    permissions: list[Permission]
    owner: bool


def serialize_site(site: Site, *, sends_mail: bool) -> SiteSchema:
    return SiteSchema(
        id=site.id,
        name=site.name,
        site_key=site.site_key,
        domains=list(site.domains),
        any_origin=site.any_origin,
        language=site.language,
        page_tracking=site.page_tracking,
        page_parameters=list(site.page_parameters),
        sound=site.sound,
        read_receipts=site.read_receipts,
        transcript_email=site.transcript_email,
        sends_mail=sends_mail,
        routing=site.chatbot.routing,
        assignment=serialize_routing(site.routing),
        created_at=site.created_at,
    )


def _without_duplicates(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
