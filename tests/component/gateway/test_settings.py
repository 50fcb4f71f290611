"""Invalid settings keep the gateway from starting (all kinds of errors: tests/unit/gateway/test_settings.py)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from component.gateway.harness import Gateway

Start = Callable[..., Awaitable[Gateway]]


async def test_the_process_ends_with_the_name_of_an_invalid_setting(start_gateway: Start) -> None:
    with pytest.raises(AssertionError, match=r"(?i)JWT_SECRET"):
        await start_gateway(PARLEY_JWT_SECRET="short")
