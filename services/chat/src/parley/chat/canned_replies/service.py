"""Canned reply use cases: list and search, add, replace, delete, and count a use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parley.chat.accounts.access import require_permission
from parley.chat.audiences import Audiences
from parley.chat.audit.service import AuditService
from parley.chat.canned_replies.errors import MAX_REPLIES, CannedReplyNotFound
from parley.chat.canned_replies.model import CannedReply, CannedReplyDraft
from parley.chat.canned_replies.ports import CannedReplyRepository
from parley.chat.conversations.visitor_search import split_words
from parley.chat.ids import NextId
from parley.common.auth.identity import OperatorCaller
from parley.common.runtime.clock import Clock

_MAX_QUERY_WORDS = 10
_WHAT = "the canned replies"


@dataclass(frozen=True, slots=True)
class CannedReplyService:
    """Another tenant's and another operator's replies are not found; those of a site require access to the site.

    Personal replies are their maker's. Those of a site are changed with the permission `can_manage` there, those of
    the team by owners.
    """

    replies: CannedReplyRepository
    audiences: Audiences
    audit: AuditService
    next_id: NextId
    clock: Clock

    async def list_page(
        self, caller: OperatorCaller, site_id: int | None, text: str | None, after: int, limit: int
    ) -> Sequence[CannedReply]:
        """The replies that the caller may use, on one site or on any, by id; `limit` + 1 if there are more.

        `text` filters by the beginnings of words. Raises SiteNotFound, Forbidden.
        """
        audiences = await self.audiences.list_readable(caller, site_id)
        words = split_words(text or "")[:_MAX_QUERY_WORDS]
        if text and text.strip() and not words:
            return []
        return await self.replies.list_page(caller.tenant_id, audiences, words, after, limit + 1)

    async def add(self, caller: OperatorCaller, draft: CannedReplyDraft) -> CannedReply:
        """Raises SiteNotFound, Forbidden, ShortcutTaken, TooManyCannedReplies."""
        await self.audiences.require_change(caller, draft.scope, draft.site_id, _WHAT)
        now = self.clock()
        reply = CannedReply(
            id=await self.next_id(),
            tenant_id=caller.tenant_id,
            operator_id=caller.operator_id,
            scope=draft.scope,
            site_id=draft.site_id,
            shortcut=draft.shortcut,
            text=draft.text,
            image_url=draft.image_url,
            file=draft.file,
            created_at=now,
            updated_at=now,
            quick_replies=draft.quick_replies,
        )
        await self.replies.add(reply, MAX_REPLIES)
        await self._record(caller, "canned_reply.created", reply)
        return reply

    async def replace(self, caller: OperatorCaller, reply_id: int, draft: CannedReplyDraft) -> CannedReply:
        """Raises CannedReplyNotFound, SiteNotFound, Forbidden, ShortcutTaken, TooManyCannedReplies."""
        before = await self._get(caller, reply_id)
        await self.audiences.require_change(caller, before.scope, before.site_id, _WHAT)
        await self.audiences.require_change(caller, draft.scope, draft.site_id, _WHAT)
        after = CannedReply(
            id=before.id,
            tenant_id=before.tenant_id,
            # A reply of the team that becomes personal belongs to who made it so.
            operator_id=caller.operator_id if draft.scope == "mine" else before.operator_id,
            scope=draft.scope,
            site_id=draft.site_id,
            shortcut=draft.shortcut,
            text=draft.text,
            image_url=draft.image_url,
            file=draft.file,
            created_at=before.created_at,
            updated_at=self.clock(),
            use_count=before.use_count,
            quick_replies=draft.quick_replies,
        )
        await self.replies.replace(after, None if after.audience == before.audience else MAX_REPLIES)
        await self._record(caller, "canned_reply.updated", after)
        return after

    async def delete(self, caller: OperatorCaller, reply_id: int) -> None:
        """Raises CannedReplyNotFound, Forbidden."""
        reply = await self._get(caller, reply_id)
        await self.audiences.require_change(caller, reply.scope, reply.site_id, _WHAT)
        if not await self.replies.delete(caller.tenant_id, reply_id):
            raise CannedReplyNotFound
        await self._record(caller, "canned_reply.deleted", reply)

    async def count_use(self, caller: OperatorCaller, reply_id: int) -> int:
        """Count that the caller inserted a reply; return the new count. Raises CannedReplyNotFound, Forbidden."""
        reply = await self._get(caller, reply_id)
        return await self.replies.increment_use_count(caller.tenant_id, reply.id)

    async def remove_orphaned(self) -> None:
        """Delete the replies of sites that were deleted, and the personal ones of operators who were removed.

        Nobody can see them any more. Looked for again and again, so that it does not matter which version of the code
        deleted the site or the operator.
        """
        for tenant_id, name in await self.replies.list_audiences():
            if not await self.audiences.exists(tenant_id, name):
                await self.replies.delete_audience(tenant_id, name)

    async def _get(self, caller: OperatorCaller, reply_id: int) -> CannedReply:
        reply = await self.replies.get(caller.tenant_id, reply_id)
        if reply.scope == "mine" and reply.operator_id != caller.operator_id:
            raise CannedReplyNotFound
        if reply.site_id is not None:
            require_permission(caller, reply.tenant_id, reply.site_id)
        return reply

    async def _record(self, caller: OperatorCaller, action: str, reply: CannedReply) -> None:
        """Personal replies concern nobody else, so their changes are not audited."""
        if reply.scope != "mine":
            details = {"shortcut": reply.shortcut, "scope": reply.scope}
            await self.audit.record(caller, action, f"canned_reply:{reply.id}", reply.site_id, details)
