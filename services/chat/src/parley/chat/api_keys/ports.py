"""What API keys need from storage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from parley.chat.accounts.model import Operator
from parley.chat.api_keys.model import ApiKey
from parley.chat.audit.model import AuditedEvent


class ApiKeyRepository(Protocol):
    async def list_for_operator(self, tenant_id: int, operator_id: int) -> Sequence[ApiKey]:
        """Return an operator's keys, in any order."""

    async def add(self, operator_id: int, key: ApiKey, max_keys: int) -> bool:
        """Store a key. Returns False if the operator has `max_keys` keys already."""

    async def remove(self, before: Operator, after: Operator, key_id: int, audited: AuditedEvent) -> bool:
        """Delete a key and save the operator in one write. Returns False for an unknown key. Raises EditConflict."""

    async def find_owner(self, key_hash: str) -> tuple[Operator, ApiKey] | None: ...

    async def record_use(self, operator_id: int, key_id: int, at: datetime) -> None: ...
