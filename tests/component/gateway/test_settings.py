"""Invalid settings keep the gateway from starting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from component.gateway.harness import Gateway

Start = Callable[..., Awaitable[Gateway]]


@pytest.mark.parametrize(
    ("env", "name"),
    [
        ({"PARLEY_JWT_SECRET": "short"}, "PARLEY_JWT_SECRET"),
        ({"PARLEY_ENV": "production", "PARLEY_JWT_SECRET": "changeme-changeme-changeme-changeme"}, "PARLEY_JWT_SECRET"),
        ({"PARLEY_JWT_SECRET": ""}, "PARLEY_JWT_SECRET"),
        ({"PARLEY_JWT_ALGORITHM": "RS256"}, "PARLEY_JWT_ALGORITHM"),
        ({"PARLEY_JWT_ALGORITHM": "none"}, "PARLEY_JWT_ALGORITHM"),
        ({"PARLEY_CHAT_URLS": "chat:8080"}, "PARLEY_CHAT_URLS"),
        ({"PARLEY_TRUSTED_PROXIES": "10.0.0.0/99"}, "PARLEY_TRUSTED_PROXIES"),
        ({"PARLEY_LIMITS_ADDRESS": "read=fast"}, "PARLEY_LIMITS_ADDRESS"),
    ],
)
async def test_invalid_settings_are_rejected_with_their_name(
    start_gateway: Start, env: dict[str, str], name: str
) -> None:
    with pytest.raises(AssertionError, match=f"(?i){name.removeprefix('PARLEY_')}"):
        await start_gateway(**env)
