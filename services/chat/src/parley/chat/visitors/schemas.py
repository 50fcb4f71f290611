"""Request bodies, queries and responses of the visitor endpoints."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from parley.chat.common_fields import Email
from parley.chat.paging.schemas import PageQuery, Pagination
from parley.chat.visitors.model import Visitor
from parley.chat.visitors.phones import normalize_phone
from parley.common.events.schemas import BlockType, Timestamp, VisitorSchema
from parley.common.http import Id, RequestBody, SuccessResponse
from parley.common.texts import without_directions


def _one_line(value: Any) -> Any:
    """A name is shown within a line and a sentence: it has no line breaks and changes no direction."""
    return " ".join(without_directions(value).split()) if isinstance(value, str) else value


Name = Annotated[str, BeforeValidator(_one_line), StringConstraints(strip_whitespace=True, max_length=200)]
Phone = Annotated[str, StringConstraints(max_length=60), AfterValidator(normalize_phone)]
InfoKey = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^.$\x00]+$")]
InfoValue = Annotated[str, StringConstraints(max_length=1000)]


class VisitorDetailsBody(RequestBody):
    """Fields to set. A field that is absent keeps its value; null clears it."""

    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None
    info: Annotated[dict[InfoKey, InfoValue], Field(max_length=50)] | None = None


class BlockBody(RequestBody):
    blocked: bool
    block_type: BlockType = "both"


class BlockedVisitorsQuery(PageQuery):
    site_id: Id


class VisitorResponse(SuccessResponse):
    visitor: VisitorSchema


class BlockedVisitorSchema(VisitorSchema):
    """A visitor who is blocked for the AI, for operators, or for both."""

    site_id: int
    blocked_at: Timestamp | None = None


class BlockedVisitorsResponse(SuccessResponse):
    visitors: list[BlockedVisitorSchema]
    next_cursor: str | None = None


class LeadSchema(VisitorSchema):
    """A visitor who left contact details."""

    site_id: int
    lead_at: Timestamp | None = None


class LeadsResponse(SuccessResponse):
    leads: list[LeadSchema]
    next_cursor: str | None = None
    pagination: Pagination


def to_blocked_visitor(visitor: Visitor) -> BlockedVisitorSchema:
    return BlockedVisitorSchema(
        **visitor.to_schema().model_dump(), site_id=visitor.site_id, blocked_at=visitor.blocked_at
    )


def to_lead(visitor: Visitor) -> LeadSchema:
    return LeadSchema(**visitor.to_schema().model_dump(), site_id=visitor.site_id, lead_at=visitor.lead_at)
