"""What label use cases need from storage."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from parley.chat.labels.model import DeletedLabel, Label


class LabelRepository(Protocol):
    """Labels that were deleted are found by `list_deleted` only."""

    async def list_page(self, tenant_id: int, audiences: Collection[str], after: int, limit: int) -> list[Label]:
        """Labels of these audiences with ids above `after`, by id."""

    async def list_by_ids(self, tenant_id: int, label_ids: Sequence[int]) -> list[Label]: ...

    async def get(self, tenant_id: int, label_id: int) -> Label:
        """Raises LabelNotFound."""

    async def add(self, label: Label, limit: int) -> None:
        """Raises LabelNameTaken, and TooManyLabels if the audience has `limit` of them."""

    async def replace(self, label: Label) -> None:
        """Raises LabelNotFound, LabelNameTaken."""

    async def mark_deleted(self, tenant_id: int, label_id: int, at: datetime) -> bool:
        """False if there is no such label."""

    async def list_deleted(self, limit: int) -> Sequence[DeletedLabel]:
        """Labels that were marked as deleted, of any tenant, the earliest first."""

    async def forget(self, label_id: int) -> None:
        """Delete what is stored of a label that no conversation has any more."""

    async def list_audiences(self) -> list[tuple[int, str]]:
        """List the audiences that have labels, each with its tenant's id."""

    async def delete_audience(self, tenant_id: int, audience: str) -> None: ...
