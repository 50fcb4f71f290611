"""What use cases of bulk actions need from storage."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from parley.chat.bulk_actions.model import BulkAction


class BulkActionRepository(Protocol):
    async def add(self, action: BulkAction, expires_at: datetime) -> None:
        """Store an action, until some time after `expires_at`."""

    async def get(self, tenant_id: int, operator_id: int, action_id: int) -> BulkAction:
        """An action of this operator. Raises BulkActionNotFound."""
