"""API keys: each acts as the operator who created it, within its scopes, until it expires or is revoked.

A key makes and changes no credentials: one that leaked could otherwise outlive its revocation.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from parley.chat.accounts.access import AccessResolver, OperatorAccess, require_login
from parley.chat.accounts.events import access_changed_event
from parley.chat.accounts.ports import OperatorRepository
from parley.chat.api_keys.errors import ApiKeyNotFound, TooManyApiKeys
from parley.chat.api_keys.model import MAX_KEYS_PER_OPERATOR, ApiKey
from parley.chat.api_keys.ports import ApiKeyRepository
from parley.chat.audit.service import AuditService
from parley.chat.ids import NextId
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.auth.token_hashing import hash_token
from parley.common.errors import ValidationFailed
from parley.common.runtime.clock import Clock, to_rfc3339

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
        """Return the keys of the caller, by id; at most MAX_KEYS_PER_OPERATOR. A key with scopes sees only itself."""
        keys = await self.repository.list_for_operator(caller.tenant_id, caller.operator_id)
        if caller.api_key_scopes is not None:
            keys = [key for key in keys if key.id == caller.api_key_id]
        return sorted(keys, key=lambda key: key.id)

    async def create(
        self,
        caller: OperatorCaller,
        name: str,
        scopes: frozenset[Permission] | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, str]:
        """Create a key. Returns it with its secret text, which cannot be read again.

        Raises NotWithApiKey, ValidationFailed for an expiry in the past, TooManyApiKeys.
        """
        require_login(caller)
        now = self.clock()
        if expires_at is not None and expires_at <= now:
            raise ValidationFailed({"expires_at": "is in the past"})
        secret = secrets.token_hex(32)
        key = ApiKey(
            id=await self.next_id(),
            name=name,
            key_hash=hash_token(secret),
            prefix=secret[:_PREFIX_LENGTH],
            created_at=now,
            scopes=scopes,
            expires_at=expires_at,
        )
        if not await self.repository.add(caller.operator_id, key, MAX_KEYS_PER_OPERATOR):
            raise TooManyApiKeys
        details = {
            "name": name,
            "scopes": "all" if scopes is None else sorted(scopes),
            "expires_at": "never" if expires_at is None else to_rfc3339(expires_at),
        }
        await self.audit.record(caller, "api_key.created", f"api_key:{key.id}", None, details)
        return key, secret

    async def revoke(self, caller: OperatorCaller, key_id: int) -> None:
        """Revoke one of the caller's keys, effective immediately. A key can revoke itself, and no other.

        Raises ApiKeyNotFound, NotWithApiKey, EditConflict.
        """
        if caller.api_key_id != key_id:
            require_login(caller)
        before = await self.operators.get(caller.tenant_id, caller.operator_id)
        after = replace(before, version=before.version + 1)
        audited = await access_changed_event(self.audit, caller, after, "api_key.revoked", {"api_key": key_id})
        if not await self.repository.remove(before, after, key_id, audited):
            raise ApiKeyNotFound

    async def filter_valid(self, operator_id: int, key_hashes: Collection[str]) -> list[str]:
        """Return those of these keys, given by their hashes, that the operator could use now."""
        valid, now = [], self.clock()
        for key_hash in key_hashes:
            owner = await self.repository.find_owner(key_hash)
            if owner and owner[0].id == operator_id and owner[0].active and not owner[1].is_expired(now):
                valid.append(key_hash)
        return valid

    async def resolve_access(self, secret: str) -> OperatorAccess:
        """Return what the key with this secret text may do. Raises ApiKeyNotFound."""
        return await self.resolve_access_by_hash(hash_token(secret))

    async def resolve_access_by_hash(self, key_hash: str) -> OperatorAccess:
        """Return what the key with this hash may do. Raises ApiKeyNotFound."""
        owner = await self.repository.find_owner(key_hash)
        now = self.clock()
        if owner is None or owner[0].removed_at is not None or owner[1].is_expired(now):
            raise ApiKeyNotFound
        operator, key = owner
        if key.last_used_at is None or now - key.last_used_at >= _LAST_USED_RESOLUTION:
            await self.repository.record_use(operator.id, key.id, now)
        access = await self.access_resolver.resolve(operator)
        sites = access.sites
        if key.scopes is not None:
            # An owner may do everything, so a key with scopes does not act as one.
            operator = replace(operator, owner=False)
            sites = {site_id: permissions & key.scopes for site_id, permissions in sites.items()}
        return OperatorAccess(operator, sites, key.id, key.expires_at, key.scopes)
