"""What concerns all features: the queue of erasures, and the RPC methods.

An erasure is in the event log too, but only for replicas that run within its retention; it must be done in any case.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from parley.common.events import Event
from parley.common.events.conversations import VisitorErased
from parley.common.messaging import Consumer, RpcServer


class StoredPersonalData(Protocol):
    """What a feature stores about visitors."""

    async def export(self, conversation_ids: Sequence[int]) -> dict[str, Any] | None:
        """Return what is stored about a visitor's conversations; None if nothing is."""

    async def erase(self, conversation_ids: Sequence[int]) -> None:
        """Delete everything that is stored about a visitor's conversations."""


def erasure_consumer(stored: Sequence[StoredPersonalData]) -> Consumer:
    """Delete what is stored about erased visitors."""

    async def on_visitor_erased(event: Event) -> None:
        conversation_ids = event.parse_data(VisitorErased).conversation_ids
        for data in stored:
            await data.erase(conversation_ids)

    return Consumer("notify", "erasures", {"visitor.erased": on_visitor_erased})


def rpc_server(
    stored: Sequence[StoredPersonalData], reachable: Callable[[list[int]], Awaitable[set[int]]]
) -> RpcServer:
    """Answer `visitor_data` with what is stored about a visitor, `reachable_operators` with who can get a push."""

    async def visitor_data(body: dict[str, Any]) -> dict[str, Any] | None:
        conversation_ids = [int(conversation_id) for conversation_id in body["conversation_ids"]]
        exported: dict[str, Any] = {}
        for data in stored:
            exported |= await data.export(conversation_ids) or {}
        return exported or None

    async def reachable_operators(body: dict[str, Any]) -> dict[str, Any] | None:
        operator_ids = await reachable([int(operator_id) for operator_id in body["operator_ids"]])
        return {"operator_ids": sorted(operator_ids)}

    return RpcServer("notify", {"visitor_data": visitor_data, "reachable_operators": reachable_operators})
