"""Query parameters and response bodies of the audit log."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from parley.chat.audit.model import AuditEntry, AuditFilter
from parley.chat.common_fields import Moment
from parley.chat.paging.model import ListPage
from parley.chat.paging.schemas import PageQuery, encode_position
from parley.common.events.schemas import Timestamp
from parley.common.http import Id, SuccessResponse


class AuditQuery(PageQuery):
    site_id: Id | None = None
    operator_id: Id | None = None
    action: Annotated[str, StringConstraints(max_length=60, pattern=r"^[a-z_.]+$")] | None = None
    since: Moment | None = Field(None, alias="from", description="Only entries at this moment or later.")
    until: Moment | None = Field(None, alias="to", description="Only entries before this moment.")

    @property
    def filter(self) -> AuditFilter:
        """The filter as the domain model has it."""
        return AuditFilter(self.site_id, self.operator_id, self.action, self.since, self.until)


class AuditOperatorSchema(BaseModel):
    """`id` is null for the system and for visitors."""

    id: int | None
    name: str


class TargetSchema(BaseModel):
    kind: str
    id: str


class AuditEntrySchema(BaseModel):
    id: int
    at: Timestamp
    operator: AuditOperatorSchema
    action: str
    target: TargetSchema
    site_id: int | None
    address: str
    details: dict[str, Any]


class AuditLogResponse(SuccessResponse):
    entries: list[AuditEntrySchema]
    next_cursor: str | None


def serialize_page(page: ListPage[AuditEntry]) -> AuditLogResponse:
    return AuditLogResponse(entries=page.map(_to_schema), next_cursor=encode_position(page.next_position))


def _to_schema(entry: AuditEntry) -> AuditEntrySchema:
    kind, _, target_id = entry.target.partition(":")
    return AuditEntrySchema(
        id=entry.id,
        at=entry.at,
        operator=AuditOperatorSchema(id=entry.operator_id, name=entry.operator_name),
        action=entry.action,
        target=TargetSchema(kind=kind, id=target_id),
        site_id=entry.site_id,
        address=entry.client_ip,
        details=dict(entry.details),
    )
