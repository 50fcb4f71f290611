"""Asks the notify service which operators have a device that gets push notifications."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from parley.chat.timeouts import REACHABLE_TIMEOUT_SECONDS
from parley.common.errors import Unavailable
from parley.common.messaging import RpcClient
from parley.common.observability.logging import get_logger

log = get_logger(__name__)


class RpcReachableOperators:
    """ReachableOperators over RPC."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def __call__(self, operator_ids: Sequence[int], /) -> Collection[int] | None:
        if not operator_ids:
            return ()
        try:
            async with asyncio.timeout(REACHABLE_TIMEOUT_SECONDS):
                reply = await self._rpc("reachable_operators", operator_ids=list(operator_ids))
        except (Unavailable, TimeoutError):
            log.info("reachable_operators_unknown")
            return None
        return None if reply is None else reply["operator_ids"]
