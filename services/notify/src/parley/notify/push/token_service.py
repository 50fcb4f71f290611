"""Register and remove operators' devices."""

from __future__ import annotations

from typing import Final

from parley.common.auth.identity import OperatorCaller
from parley.common.auth.token_hashing import hash_token
from parley.common.runtime.clock import Clock
from parley.notify.push.model import Platform, PushToken
from parley.notify.push.ports import PushTokenRepository

MAX_TOKENS_PER_OPERATOR: Final = 20


class PushTokenService:
    """A token belongs to one login: the one that registered it last. The login before loses it, without a notice."""

    def __init__(self, tokens: PushTokenRepository, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock

    async def register(self, caller: OperatorCaller, token: str, platform: Platform) -> None:
        """Make the device the caller's. Beyond MAX_TOKENS_PER_OPERATOR the caller's oldest tokens are deleted."""
        await self._tokens.upsert(
            PushToken(
                digest=hash_token(token),
                token=token,
                operator_id=caller.operator_id,
                tenant_id=caller.tenant_id,
                platform=platform,
                language=caller.language,
                registered_at=self._clock(),
                login=caller.login,
            )
        )
        await self._tokens.delete_oldest(caller.operator_id, MAX_TOKENS_PER_OPERATOR)

    async def remove(self, caller: OperatorCaller, token: str | None) -> None:
        """Remove one of the caller's devices, or (None) all of them. Another operator's device stays."""
        if token is None:
            await self._tokens.delete_all(caller.operator_id)
        else:
            await self._tokens.delete(hash_token(token), caller.operator_id)
