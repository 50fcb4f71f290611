"""HTTP handlers of the operator endpoints."""

from __future__ import annotations

from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext
from parley.presence.operators.schemas import (
    OperatorHeartbeatBody,
    SetStatusBody,
    SetStatusResponse,
    SiteStatus,
    StatusQuery,
    StatusResponse,
)
from parley.presence.operators.service import OperatorService
from parley.presence.schemas import HeartbeatResponse


class OperatorHandlers:
    """`/api/v1/operator/heartbeat`, `status` and `set-status`."""

    def __init__(self, service: OperatorService) -> None:
        self._service = service

    async def heartbeat(
        self, context: RequestContext[OperatorCaller, OperatorHeartbeatBody, None]
    ) -> HeartbeatResponse:
        await self._service.record_heartbeat(context.caller, context.body.site_ids)
        return HeartbeatResponse(expires_in=self._service.online_seconds)

    async def get_status(self, context: RequestContext[OperatorCaller, None, StatusQuery]) -> StatusResponse:
        statuses = await self._service.get_statuses(context.caller, context.query.site_id)
        sites = [
            SiteStatus(site_id=status.site_id, online=status.online, until=status.expires_at) for status in statuses
        ]
        return StatusResponse(online=any(site.online for site in sites), sites=sites)

    async def set_status(self, context: RequestContext[OperatorCaller, SetStatusBody, None]) -> SetStatusResponse:
        status = await self._service.set_status(context.caller, context.body.site_id, online=context.body.online)
        return SetStatusResponse(online=status.online, until=status.expires_at)
