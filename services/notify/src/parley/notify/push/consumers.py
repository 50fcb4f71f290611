"""The queues of erasures and of ended logins, and the RPC methods.

An erasure is in the event log too, but only for replicas that run within its retention; it must be done in any case.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from parley.common.events import Event
from parley.common.events.conversations import VisitorErased
from parley.common.events.team import OperatorAccessChanged
from parley.common.messaging import Consumer, RpcServer
from parley.notify.push.devices import OperatorDevices
from parley.notify.push.privacy_service import PushPrivacyService


def erasure_consumer(privacy: PushPrivacyService) -> Consumer:
    """Delete pending pushes of erased visitors."""

    async def on_visitor_erased(event: Event) -> None:
        await privacy.erase(event.parse_data(VisitorErased).conversation_ids)

    return Consumer("notify", "erasures", {"visitor.erased": on_visitor_erased})


def access_consumer(devices: OperatorDevices) -> Consumer:
    """Delete the push tokens of logins that ended."""

    async def on_access_changed(event: Event) -> None:
        await devices.on_access_changed(event.parse_data(OperatorAccessChanged))

    return Consumer("notify", "access", {"operator.access_changed": on_access_changed})


def rpc_server(privacy: PushPrivacyService, reachable: Callable[[list[int]], Awaitable[set[int]]]) -> RpcServer:
    """Answer `visitor_data` with what is stored about a visitor, `reachable_operators` with who can get a push."""

    async def visitor_data(body: dict[str, Any]) -> dict[str, Any] | None:
        return await privacy.export([int(conversation_id) for conversation_id in body["conversation_ids"]])

    async def reachable_operators(body: dict[str, Any]) -> dict[str, Any] | None:
        operator_ids = await reachable([int(operator_id) for operator_id in body["operator_ids"]])
        return {"operator_ids": sorted(operator_ids)}

    return RpcServer("notify", {"visitor_data": visitor_data, "reachable_operators": reachable_operators})
