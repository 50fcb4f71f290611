"""What canned reply use cases need from storage."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from parley.chat.canned_replies.model import CannedReply


class CannedReplyRepository(Protocol):
    async def list_page(
        self, tenant_id: int, audiences: Collection[str], words: Sequence[str], after: int, limit: int
    ) -> list[CannedReply]:
        """Replies of these audiences with ids above `after`, by id.

        Each of `words` has to be the beginning of the shortcut or of a word of the text.
        """

    async def get(self, tenant_id: int, reply_id: int) -> CannedReply:
        """Raises CannedReplyNotFound."""

    async def add(self, reply: CannedReply, limit: int) -> None:
        """Raises ShortcutTaken, and TooManyCannedReplies if the audience has `limit` of them."""

    async def replace(self, reply: CannedReply, limit: int | None) -> None:
        """Replace all but the use count. `limit`: of the audience, if the reply changes to another one.

        Raises CannedReplyNotFound, ShortcutTaken, TooManyCannedReplies.
        """

    async def delete(self, tenant_id: int, reply_id: int) -> bool:
        """False if there is no such reply."""

    async def list_audiences(self) -> list[tuple[int, str]]:
        """List the audiences that have replies, each with its tenant's id."""

    async def delete_audience(self, tenant_id: int, audience: str) -> None: ...

    async def increment_use_count(self, tenant_id: int, reply_id: int) -> int:
        """Return the new count. Raises CannedReplyNotFound."""
