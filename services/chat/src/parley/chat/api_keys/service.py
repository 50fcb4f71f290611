"""API keys: each acts as the operator who created it, until it is revoked or the operator is removed."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from parley.chat.accounts.access import AccessResolver, OperatorAccess
from parley.chat.accounts.events import access_changed_event
from parley.chat.accounts.ports import OperatorRepository
from parley.chat.api_keys.errors import ApiKeyNotFound, TooManyApiKeys
from parley.chat.api_keys.model import MAX_KEYS_PER_OPERATOR, ApiKey
from parley.chat.api_keys.ports import ApiKeyRepository
from parley.chat.audit.service import AuditService
from parley.chat.ids import NextId
from parley.common.auth.identity import OperatorCaller
from parley.common.auth.token_hashing import hash_token
from parley.common.runtime.clock import Clock

_LAST_USED_RESOLUTION = timedelta(minutes=1)
"""Limits the writes of a key in constant use."""
_PREFIX_LENGTH = 8


@dataclass(frozen=True, slots=True)
class ApiKeyService:
    repository: ApiKeyRepository
    operators: OperatorRepository
    access_resolver: AccessResolver
    audit: AuditService
    next_id: NextId
    clock: Clock

    async def list_keys(self, caller: OperatorCaller) -> Sequence[ApiKey]:
        """Return all keys of the caller, by id; at most MAX_KEYS_PER_OPERATOR."""
        keys = await self.repository.list_for_operator(caller.tenant_id, caller.operator_id)
        return sorted(keys, key=lambda key: key.id)

    async def create(self, caller: OperatorCaller, name: str) -> tuple[ApiKey, str]:
        """Create a key. Returns it with its secret text, which cannot be read again. Raises TooManyApiKeys."""
        secret = secrets.token_hex(32)
        key = ApiKey(await self.next_id(), name, hash_token(secret), secret[:_PREFIX_LENGTH], self.clock())
        if not await self.repository.add(caller.operator_id, key, MAX_KEYS_PER_OPERATOR):
            raise TooManyApiKeys
        await self.audit.record(caller, "api_key.created", f"api_key:{key.id}", None, {"name": name})
        return key, secret

    async def revoke(self, caller: OperatorCaller, key_id: int) -> None:
        """Revoke one of the caller's keys, effective at once. Raises ApiKeyNotFound, EditConflict."""
        before = await self.operators.get(caller.tenant_id, caller.operator_id)
        after = replace(before, version=before.version + 1)
        audited = await access_changed_event(self.audit, caller, after, "api_key.revoked", {"api_key": key_id})
        if not await self.repository.remove(before, after, key_id, audited):
            raise ApiKeyNotFound

    async def filter_valid(self, operator_id: int, key_hashes: Collection[str]) -> list[str]:
        """Return those of these keys, given by their hashes, that the operator could use now."""
        owners = [(key_hash, await self.repository.find_owner(key_hash)) for key_hash in key_hashes]
        return [key_hash for key_hash, owner in owners if owner and owner[0].id == operator_id and owner[0].active]

    async def resolve_access(self, secret: str) -> OperatorAccess:
        """Return the access of the operator whose key has this secret text. Raises ApiKeyNotFound."""
        owner = await self.repository.find_owner(hash_token(secret))
        if owner is None or owner[0].removed_at is not None:
            raise ApiKeyNotFound
        operator, key = owner
        now = self.clock()
        if key.last_used_at is None or now - key.last_used_at >= _LAST_USED_RESOLUTION:
            await self.repository.record_use(operator.id, key.id, now)
        return await self.access_resolver.resolve(operator)
