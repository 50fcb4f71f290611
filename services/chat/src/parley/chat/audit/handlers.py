"""The audit log, for a tenant's owners and a site's managers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from parley.chat.audit.service import Audit, AuditFilter, Entry
from parley.chat.common_fields import Cursor
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Invalid
from parley.common.events.schemas import Timestamp
from parley.common.http import Answer, Call, Id, Page, Query, decode_cursor, encode_cursor


class AuditQuery(Query):
    site_id: Id | None = None
    operator_id: Id | None = None
    action: Annotated[str, StringConstraints(max_length=60, pattern=r"^[a-z_.]+$")] | None = None
    since: AwareDatetime | None = Field(None, alias="from", description="From this moment on.")
    until: AwareDatetime | None = Field(None, alias="to", description="Before this moment.")
    limit: Page = 50
    cursor: Cursor | None = None

    @property
    def after(self) -> tuple[datetime, int] | None:
        """The position of the last entry that was shown. Raises Invalid."""
        if self.cursor is None:
            return None
        stamp, entry_id = decode_cursor(self.cursor, int, int)
        try:
            return datetime.fromtimestamp(stamp / 1000, UTC), entry_id
        except (ValueError, OverflowError, OSError) as exc:
            raise Invalid({"cursor": "is not a cursor of this list"}) from exc


class WhoView(BaseModel):
    """`id` is None where the system or a visitor did it."""

    id: int | None
    name: str


class TargetView(BaseModel):
    kind: str
    id: str


class EntryView(BaseModel):
    id: int
    at: Timestamp
    operator: WhoView
    action: str
    target: TargetView
    site_id: int | None
    address: str
    details: dict[str, Any]


class AuditAnswer(Answer):
    entries: list[EntryView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class AuditHandlers:
    audit: Audit

    async def page(self, call: Call[OperatorCaller, None, AuditQuery]) -> AuditAnswer:
        query = call.query
        wanted = AuditFilter(query.site_id, query.operator_id, query.action, query.since, query.until)
        found = await self.audit.page(call.caller, wanted, query.after, query.limit)
        last = found[query.limit - 1] if len(found) > query.limit else None
        following = encode_cursor(round(last.at.timestamp() * 1000), last.id) if last else None
        return AuditAnswer(entries=[_view(entry) for entry in found[: query.limit]], next_cursor=following)


def _view(entry: Entry) -> EntryView:
    kind, _, number = entry.target.partition(":")
    return EntryView(
        id=entry.id,
        at=entry.at,
        operator=WhoView(id=entry.operator_id, name=entry.operator_name),
        action=entry.action,
        target=TargetView(kind=kind, id=number),
        site_id=entry.site_id,
        address=entry.address,
        details=dict(entry.details),
    )
