"""Operators saying that they are there."""

from __future__ import annotations

from parley.common.auth.identity import OperatorCaller
from parley.common.http import Call
from parley.presence.operators.service import Operators
from parley.presence.schemas import (
    HeartbeatAnswer,
    OperatorHeartbeatBody,
    SetStatusAnswer,
    SetStatusBody,
    SiteStatus,
    StatusAnswer,
    StatusQuery,
)


class OperatorHandlers:
    """`/api/v1/operator/heartbeat`, `status` and `set-status`."""

    def __init__(self, operators: Operators) -> None:
        self._operators = operators

    async def heartbeat(self, call: Call[OperatorCaller, OperatorHeartbeatBody, None]) -> HeartbeatAnswer:
        await self._operators.heartbeat(call.caller, call.body.site_ids)
        return HeartbeatAnswer(expires_in=self._operators.online_seconds)

    async def status(self, call: Call[OperatorCaller, None, StatusQuery]) -> StatusAnswer:
        standings = await self._operators.status(call.caller, call.query.site_id)
        sites = [SiteStatus(site_id=at.site_id, online=at.online, until=at.until) for at in standings]
        return StatusAnswer(online=any(site.online for site in sites), sites=sites)

    async def set_status(self, call: Call[OperatorCaller, SetStatusBody, None]) -> SetStatusAnswer:
        standing = await self._operators.set_status(call.caller, call.body.site_id, online=call.body.online)
        return SetStatusAnswer(online=standing.online, until=standing.until)
