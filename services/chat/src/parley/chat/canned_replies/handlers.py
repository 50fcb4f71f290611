"""Endpoints of canned replies."""

from __future__ import annotations

from dataclasses import dataclass, replace

from parley.chat.canned_replies.model import CannedReply, CannedReplyDraft
from parley.chat.canned_replies.schemas import (
    CannedRepliesQuery,
    CannedRepliesResponse,
    CannedReplyBody,
    CannedReplyResponse,
    CannedReplySchema,
    UseCountResponse,
    to_schema,
)
from parley.chat.canned_replies.service import CannedReplyService
from parley.chat.files.model import Uploader
from parley.chat.files.service import FileService
from parley.chat.paging.schemas import decode_id, encode_id
from parley.chat.schemas import OkResponse
from parley.chat.uploads.service import UploadService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class CannedReplyHandlers:
    replies: CannedReplyService
    uploads: UploadService
    files: FileService

    async def list_page(
        self, context: RequestContext[OperatorCaller, None, CannedRepliesQuery]
    ) -> CannedRepliesResponse:
        query = context.query
        after = decode_id(query.cursor)
        replies = await self.replies.list_page(context.caller, query.site_id, query.q, after, query.limit)
        return CannedRepliesResponse(
            canned_replies=[self._to_schema(reply) for reply in replies[: query.limit]],
            next_cursor=encode_id([reply.id for reply in replies], query.limit),
        )

    async def add(self, context: RequestContext[OperatorCaller, CannedReplyBody, None]) -> CannedReplyResponse:
        caller, body = context.caller, context.body
        return CannedReplyResponse(
            canned_reply=self._to_schema(await self.replies.add(caller, await self._to_draft(caller, body)))
        )

    async def replace(self, context: RequestContext[OperatorCaller, CannedReplyBody, None]) -> CannedReplyResponse:
        caller, body = context.caller, context.body
        draft = await self._to_draft(caller, body)
        reply = await self.replies.replace(caller, context.path["id"], draft)
        return CannedReplyResponse(canned_reply=self._to_schema(reply))

    async def delete(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.replies.delete(context.caller, context.path["id"])
        return OkResponse()

    async def count_use(self, context: RequestContext[OperatorCaller, None, None]) -> UseCountResponse:
        return UseCountResponse(use_count=await self.replies.count_use(context.caller, context.path["id"]))

    async def _to_draft(self, caller: OperatorCaller, body: CannedReplyBody) -> CannedReplyDraft:
        """Raises ValidationFailed."""
        uploader = Uploader(caller.tenant_id)
        image_url = await self.uploads.validate_url(uploader, body.image_url)
        file = await self.files.get_for_sending(uploader, body.file_id)
        return body.to_draft(image_url, None if file is None else file.attach_anywhere())

    def _to_schema(self, reply: CannedReply) -> CannedReplySchema:
        # A message with the image's earlier URL would be refused.
        image_url = self.uploads.to_current_url(reply.image_url)
        file = None if reply.file is None else self.files.with_current_url(reply.file)
        return to_schema(replace(reply, image_url=image_url, file=file))
