"""Devices that ring, and what a test wants to know of them."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from parley.common.auth.identity import OperatorCaller
from support.fcm import FcmServer
from support.notify import Replica
from support.wait import until

TOKENS = "/api/v1/operator/fcm-token"
PUSHES = "parley_notify_pushes_total"

Enlist = Callable[..., Awaitable[tuple[OperatorCaller, str]]]
"""Makes an operator of the scene's site with one device."""


async def device(replica: Replica, operator: OperatorCaller, platform: str = "android") -> str:
    token = f"dev:{secrets.token_hex(16)}"
    status, _, _ = await replica.call(operator, "POST", TOKENS, {"token": token, "platform": platform})
    assert status == 200
    return token


async def counting(replica: Replica, name: str) -> Callable[[], Awaitable[float]]:
    """How many pushes came to this end from now on."""
    line = f'{PUSHES}{{outcome="{name}"}}'
    before = await replica.metric(line)

    async def since() -> float:
        return await replica.metric(line) - before

    return since


async def rung(fcm: FcmServer, token: str, times: int = 1, within: float = 10.0) -> dict[str, Any]:
    """The newest push of a device, once it got so many."""
    await until(lambda: len(fcm.to(token)) >= times, within=within, what=f"{times} pushes")
    assert len(fcm.to(token)) == times
    return fcm.to(token)[-1].message
