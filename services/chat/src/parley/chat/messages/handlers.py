"""Operator endpoints about messages: send, send proactively, list."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.conversations.queries import ConversationQueries
from parley.chat.files.model import Uploader
from parley.chat.files.service import FileService
from parley.chat.messages.operator_service import OperatorContent, OperatorMessageService
from parley.chat.messages.schemas import (
    MessageResponse,
    MessagesQuery,
    MessagesResponse,
    OperatorMessageBody,
    ProactiveMessageBody,
    to_quick_replies,
)
from parley.chat.uploads.service import UploadService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class MessageHandlers:
    messages: OperatorMessageService
    queries: ConversationQueries
    uploads: UploadService
    files: FileService

    async def send(self, context: RequestContext[OperatorCaller, OperatorMessageBody, None]) -> MessageResponse:
        caller, body = context.caller, context.body
        uploader = Uploader(caller.tenant_id)
        image_url = await self.uploads.validate_url(uploader, body.image_url)
        file = await self.files.get_for_sending(uploader, body.file_id)
        content = OperatorContent(body.content, image_url, file, to_quick_replies(body.quick_replies))
        message = await self.messages.send(caller, body.conversation_id, content, context.idempotency_key)
        return MessageResponse(message=message.to_schema())

    async def send_proactive(
        self, context: RequestContext[OperatorCaller, ProactiveMessageBody, None]
    ) -> MessageResponse:
        body = context.body
        content = OperatorContent(body.content, quick_replies=to_quick_replies(body.quick_replies))
        message = await self.messages.send_proactive(context.caller, body.site_id, body.session_id, content)
        return MessageResponse(message=message.to_schema())

    async def list_messages(self, context: RequestContext[OperatorCaller, None, MessagesQuery]) -> MessagesResponse:
        query = context.query
        conversation, messages = await self.queries.list_messages(
            context.caller,
            context.path["id"],
            before_seq=query.before_seq,
            after_seq=query.after_seq,
            limit=query.limit,
        )
        return MessagesResponse(
            messages=[message.to_schema() for message in messages],
            conversation_id=conversation.id,
            mode=conversation.mode,
        )
