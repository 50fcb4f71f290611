"""Push tokens: one owner each, a bounded number per operator, and never shown to anybody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol

from parley.common.auth.identity import OperatorCaller
from parley.common.runtime.clock import Clock

MOST: Final = 20
"""Tokens one operator may have; registering another lets the oldest go."""

Platform = Literal["android", "ios", "web", "unknown"]


@dataclass(frozen=True, slots=True)
class PushToken:
    """A device that can be rung. `digest` names it where the token itself has no business."""

    digest: str
    token: str = field(repr=False)
    operator_id: int
    tenant_id: int
    platform: Platform
    language: str
    registered_at: datetime


class TokenStore(Protocol):
    """Tokens, by digest and by owner."""

    async def put(self, token: PushToken) -> None:
        """Keep a token; one that was another's is now this owner's."""

    async def keep_newest(self, operator_id: int, most: int) -> None:
        """Let the oldest go where there are more."""

    async def of(self, operator_id: int) -> list[PushToken]:
        """An operator's, newest first."""

    async def owners(self, operator_ids: Iterable[int]) -> set[int]:
        """Those of these operators who have any."""

    async def remove(self, digest: str, operator_id: int) -> None:
        """Forget a token, if it is still this operator's."""

    async def remove_all(self, operator_id: int) -> None:
        """Forget all of an operator's."""


class Tokens:
    """Registers and removes devices."""

    def __init__(self, store: TokenStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def register(self, caller: OperatorCaller, token: str, platform: Platform) -> None:
        """The device is the caller's from now on."""
        await self._store.put(
            PushToken(
                digest=digest_of(token),
                token=token,
                operator_id=caller.operator_id,
                tenant_id=caller.tenant_id,
                platform=platform,
                language=caller.language,
                registered_at=self._clock(),
            )
        )
        await self._store.keep_newest(caller.operator_id, MOST)

    async def remove(self, caller: OperatorCaller, token: str | None) -> None:
        """Forget one of the caller's devices, or (None) all of them. Somebody else's is left alone."""
        if token is None:
            await self._store.remove_all(caller.operator_id)
        else:
            await self._store.remove(digest_of(token), caller.operator_id)


def digest_of(token: str) -> str:
    """A token's name in the database and in delivery records."""
    return hashlib.sha256(token.encode()).hexdigest()
