"""API keys: they act as the operator who made them, until that operator or the team's owners revoke them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from parley.chat.accounts.access import AccessBook, OperatorAccess
from parley.chat.accounts.service import NextId, Operator, OperatorStore, told_of
from parley.chat.audit.service import Audit, Told
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Conflict, NotFound
from parley.common.runtime.clock import Clock

MOST_KEYS = 20
"""Of one operator: they live inside the operator's document."""
_COARSE = timedelta(minutes=1)
_SHOWN = 8


class KeyNotFound(NotFound):
    code = "not_found"


class TooManyKeys(Conflict):
    code = "too_many_api_keys"
    sentence = f"You have {MOST_KEYS} API keys already. Please revoke one first."


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: its hash, and enough of it to be recognised in a list."""

    id: int
    name: str
    key_hash: str = field(repr=False)
    prefix: str
    created_at: datetime
    last_used_at: datetime | None = None


class ApiKeyStore(Protocol):
    """Where keys are kept: with the operator whose they are."""

    async def of(self, tenant_id: int, operator_id: int) -> Sequence[ApiKey]:
        """An operator's keys, the oldest first."""

    async def add(self, operator_id: int, key: ApiKey, most: int) -> bool:
        """False where the operator has `most` already."""

    async def remove(self, before: Operator, after: Operator, key_id: int, told: Told) -> bool:
        """Forget a key and tell of it in one write. False where it is not there. Raises ChangedMeanwhile."""

    async def owner_of(self, key_hash: str) -> tuple[Operator, ApiKey] | None:
        """Whose key it is."""

    async def touch(self, operator_id: int, key_id: int, at: datetime) -> None:
        """Note a use."""


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Makes, lists and revokes keys, and says what they open."""

    store: ApiKeyStore
    operators: OperatorStore
    access_book: AccessBook
    audit: Audit
    next_id: NextId
    clock: Clock

    async def of(self, caller: OperatorCaller) -> Sequence[ApiKey]:
        """The caller's keys."""
        return await self.store.of(caller.tenant_id, caller.operator_id)

    async def create(self, caller: OperatorCaller, name: str) -> tuple[ApiKey, str]:
        """A new key, and its text, which is shown this once. Raises TooManyKeys."""
        text = secrets.token_hex(32)
        key = ApiKey(await self.next_id(), name, _hash(text), text[:_SHOWN], self.clock())
        if not await self.store.add(caller.operator_id, key, MOST_KEYS):
            raise TooManyKeys
        await self.audit.record(caller, "api_key.created", f"api_key:{key.id}", None, {"name": name})
        return key, text

    async def revoke(self, caller: OperatorCaller, key_id: int) -> None:
        """End a key at once. Raises KeyNotFound, ChangedMeanwhile."""
        before = await self.operators.get(caller.tenant_id, caller.operator_id)
        after = replace(before, version=before.version + 1)
        told = await told_of(self.audit, caller, after, "api_key.revoked", {"api_key": key_id})
        if not await self.store.remove(before, after, key_id, told):
            raise KeyNotFound

    async def access(self, text: str) -> OperatorAccess:
        """What a key opens. Raises KeyNotFound."""
        found = await self.store.owner_of(_hash(text))
        if found is None or found[0].removed_at is not None:
            raise KeyNotFound
        operator, key = found
        now = self.clock()
        if key.last_used_at is None or now - key.last_used_at >= _COARSE:
            await self.store.touch(operator.id, key.id, now)
        return await self.access_book.of(operator)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
