"""Register devices for push notifications, and wait for what they receive."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from parley.common.auth.identity import OperatorCaller
from support.fcm import FcmServer
from support.notify import NotifyReplica
from support.wait import wait_until

TOKEN_PATH = "/api/v1/operator/fcm-token"

AddPushOperator = Callable[..., Awaitable[tuple[OperatorCaller, str]]]
"""Adds an operator with one device to the scenario's site; returns the operator and the device's token."""

SendFirstPush = Callable[[NotifyReplica], Awaitable[str]]
"""Sends a push to the operator of the scenario's conversation; returns the token of their device."""


async def register_device(replica: NotifyReplica, operator: OperatorCaller, platform: str = "android") -> str:
    """Register a new device and return its token."""
    token = f"dev:{secrets.token_hex(16)}"
    status, _, _ = await replica.request(operator, "POST", TOKEN_PATH, {"token": token, "platform": platform})
    assert status == 200
    return token


async def count_outcome(replica: NotifyReplica, outcome: str) -> Callable[[], Awaitable[float]]:
    """Return a function that counts the pushes with this outcome from now on."""
    series = f'parley_notify_pushes_total{{outcome="{outcome}"}}'
    before = await replica.metric(series)

    async def count() -> float:
        return await replica.metric(series) - before

    return count


async def wait_for_push(fcm: FcmServer, token: str, count: int = 1, timeout: float = 10.0) -> dict[str, Any]:
    """Wait until a device has received exactly `count` pushes, and return the newest."""
    await wait_until(lambda: len(fcm.pushes_for(token)) >= count, timeout=timeout, description=f"{count} pushes")
    assert len(fcm.pushes_for(token)) == count
    return fcm.pushes_for(token)[-1].message
