"""Request and response schemas of the operator endpoints."""

from __future__ import annotations

from pydantic import Field

from parley.common.events.schemas import Schema, Timestamp
from parley.common.http import Id, Query, RequestBody, SuccessResponse


class OperatorHeartbeatBody(RequestBody):
    """The sites on which the operator is available."""

    site_ids: list[Id] = Field(min_length=1, max_length=100)


class SetStatusBody(RequestBody):
    """The manual status on one site."""

    site_id: Id
    online: bool


class StatusQuery(Query):
    """One site; all the caller's sites where it is left out."""

    site_id: Id | None = None


class SiteStatus(Schema):
    """The operator's status on one site."""

    site_id: int
    online: bool
    until: Timestamp | None = Field(None, description="When the operator goes offline without another heartbeat.")


class StatusResponse(SuccessResponse):
    """Whether the operator is online on any site, and the status on each."""

    online: bool
    sites: list[SiteStatus]


class SetStatusResponse(SuccessResponse):
    """The status after the change."""

    online: bool
    until: Timestamp | None = None
