"""The widget's endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, replace

import orjson
from aiohttp import web

from parley.chat.ai import timeouts
from parley.chat.ai.model import ReplyOutcome
from parley.chat.ai.reply_service import AiReplyService
from parley.chat.files.model import SendableFile, Uploader
from parley.chat.files.service import FileService
from parley.chat.identification.late_writes import LateWrites
from parley.chat.messages.model import Opening
from parley.chat.messages.visitor_service import ReceivedMessage, VisitorMessageService
from parley.chat.schemas import OkResponse
from parley.chat.transcripts.service import TranscriptService
from parley.chat.triggers.delivery import TriggerDelivery
from parley.chat.uploads.service import UploadService
from parley.chat.visitors.service import VisitorService
from parley.chat.widget.schemas import (
    BlockStatusResponse,
    ConfigQuery,
    ConfigResponse,
    ContactBody,
    EmailBody,
    HistoryQuery,
    HistoryResponse,
    ModeResponse,
    OperatorMessagesQuery,
    RatingBody,
    SendMessageBody,
    VisitorReadBody,
    WidgetBody,
    WidgetMessagesResponse,
    WidgetQuery,
    to_config_response,
    to_history_response,
    to_messages_response,
    to_queue_place,
)
from parley.chat.widget.service import WidgetService
from parley.common.auth.identity import VisitorCaller
from parley.common.errors import ValidationFailed
from parley.common.http import RequestContext
from parley.common.observability.logging import current_trace, get_logger
from parley.common.runtime.tasks import cancel_and_wait

log = get_logger(__name__)

_COMMENT = b": waiting\n\n"
"""Ignored by every client of server-sent events."""


@dataclass(frozen=True, slots=True)
class WidgetHandlers:
    widget: WidgetService
    messages: VisitorMessageService
    replies: AiReplyService
    visitors: VisitorService
    uploads: UploadService
    files: FileService
    triggers: TriggerDelivery
    transcripts: TranscriptService
    late_writes: LateWrites

    async def stream(self, context: RequestContext[VisitorCaller, SendMessageBody, None]) -> web.StreamResponse:
        """Store the visitor's message, and stream the AI's reply as server-sent events."""
        body = context.body
        caller = context.caller
        # Shielded: a message that has started to be stored is stored, even if the visitor disconnects now.
        received = await asyncio.shield(asyncio.ensure_future(self._receive(caller, body)))
        reply = self.replies.start_or_join(received, caller.client_ip)
        message_id = received.message.id if received.message else None
        headers = {
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
            "X-Request-Id": current_trace().request_id,
        }
        outcome = self.replies.find_outcome(received, reply)
        if outcome is not None:
            # The whole stream is known: one write, here and in the gateway.
            return web.Response(body=_encode_sse(outcome, message_id), headers=headers)
        response = web.StreamResponse(headers=headers)
        await response.prepare(context.request)
        try:
            async for part in with_pauses(self.replies.subscribe(received, reply), timeouts.STREAM_COMMENT_SECONDS):
                await response.write(_COMMENT if part is None else _encode_sse(part, message_id))
        except ConnectionError:
            raise
        except Exception as exc:
            log.warning("ai_reply_stream_broken", error=repr(exc)[:300])
            await response.write(b'data: {"type":"error","code":"unavailable"}\n\n')
        await response.write_eof()
        return response

    async def _receive(self, caller: VisitorCaller, body: SendMessageBody) -> ReceivedMessage:
        image_url, file = await self._find_attached(caller, body)
        trigger_id = body.trigger_id
        shown = None if trigger_id is None else await self.triggers.find_answerable(caller, trigger_id)
        received = await self.messages.receive(
            caller,
            body.message,
            image_url=image_url,
            file=file,
            message_id=body.message_id,
            language=body.lang,
            confirms=body.confirm,
            reply_to=body.reply_to,
            opening=None if shown is None else Opening(shown.message, shown.quick_replies),
        )
        if received.opened and trigger_id is not None:
            await self.triggers.record_answered(caller, trigger_id)
        return received

    async def _find_attached(
        self, caller: VisitorCaller, body: SendMessageBody
    ) -> tuple[str | None, SendableFile | None]:
        """Return the image's URL and the file of a message. Raises ValidationFailed if they are not the visitor's."""
        uploader = Uploader(caller.tenant_id, caller.site_id, caller.session)
        try:
            return await self._validate_attached(uploader, body)
        except ValidationFailed:
            # What the session uploaded belongs to the person whom the site identified meanwhile.
            person = await self.late_writes.find_person(caller)
            if person is None:
                raise
            return await self._validate_attached(replace(uploader, session=person.session), body)

    async def _validate_attached(
        self, uploader: Uploader, body: SendMessageBody
    ) -> tuple[str | None, SendableFile | None]:
        image_url = await self.uploads.validate_url(uploader, body.image_url)
        return image_url, await self.files.get_for_sending(uploader, body.file_id)

    async def get_history(self, context: RequestContext[VisitorCaller, None, HistoryQuery]) -> HistoryResponse:
        visitor, history = await self.widget.get_history(context.caller, context.query.before_seq, context.query.limit)
        place = await self.widget.find_queue_place(history.conversation)
        return to_history_response(visitor, history, place)

    async def list_operator_messages(
        self, context: RequestContext[VisitorCaller, None, OperatorMessagesQuery]
    ) -> WidgetMessagesResponse:
        messages = await self.widget.list_operator_messages(context.caller, context.query.after_seq)
        return to_messages_response(messages, await self.widget.find_queue_place(messages.conversation))

    async def list_unread_proactive(
        self, context: RequestContext[VisitorCaller, None, WidgetQuery]
    ) -> WidgetMessagesResponse:
        return to_messages_response(await self.widget.list_unread_proactive(context.caller))

    async def leave_email(self, context: RequestContext[VisitorCaller, EmailBody, None]) -> OkResponse:
        return await self._leave_details(context.caller, context.body.model_dump(include={"email", "name"}))

    async def leave_contact(self, context: RequestContext[VisitorCaller, ContactBody, None]) -> OkResponse:
        return await self._leave_details(context.caller, context.body.model_dump(include={"email", "name", "phone"}))

    async def _leave_details(self, caller: VisitorCaller, fields: Mapping[str, str | None]) -> OkResponse:
        details = {name: value for name, value in fields.items() if value is not None}
        await self.late_writes.run(caller, lambda caller: self.visitors.leave_contact_details(caller, details))
        return OkResponse()

    async def get_block_status(self, context: RequestContext[VisitorCaller, None, WidgetQuery]) -> BlockStatusResponse:
        block = await self.widget.get_block(context.caller)
        return BlockStatusResponse(blocked=block is not None, block_type=block)

    async def rate(self, context: RequestContext[VisitorCaller, RatingBody, None]) -> OkResponse:
        body = context.body
        await self.late_writes.run(
            context.caller,
            lambda caller: self.visitors.rate(caller, body.score, body.comment, body.conversation_id),
        )
        return OkResponse()

    async def mark_read(self, context: RequestContext[VisitorCaller, VisitorReadBody, None]) -> OkResponse:
        await self.messages.mark_read(context.caller, context.body.seq)
        return OkResponse()

    async def show_typing(self, context: RequestContext[VisitorCaller, WidgetBody, None]) -> OkResponse:
        await self.messages.show_typing(context.caller)
        return OkResponse()

    async def request_handoff(self, context: RequestContext[VisitorCaller, WidgetBody, None]) -> ModeResponse:
        conversation = await self.messages.request_handoff(context.caller)
        place = await self.widget.find_queue_place(conversation)
        return ModeResponse(conversation_id=conversation.id, mode=conversation.mode, queue=to_queue_place(place))

    async def get_config(self, context: RequestContext[VisitorCaller, None, ConfigQuery]) -> ConfigResponse:
        config = await self.widget.get_config(context.caller, context.query.lang)
        return to_config_response(
            config,
            self.files.policy_of(config.site),
            transcript_email=self.transcripts.is_offered(config.site),
        )


async def with_pauses(
    parts: AsyncIterator[str | ReplyOutcome], interval_seconds: float
) -> AsyncGenerator[str | ReplyOutcome | None, None]:
    """Yield the parts, and None whenever none has come for a while: proxies close streams that stay silent."""
    upcoming: asyncio.Task[str | ReplyOutcome] | None = None
    try:
        while True:
            upcoming = upcoming or asyncio.ensure_future(_next(parts))
            done, _ = await asyncio.wait({upcoming}, timeout=interval_seconds)
            if not done:
                yield None
                continue
            try:
                part = upcoming.result()
            except StopAsyncIteration:
                return
            upcoming = None
            yield part
    finally:
        if upcoming is not None:
            await cancel_and_wait(upcoming)


async def _next(parts: AsyncIterator[str | ReplyOutcome]) -> str | ReplyOutcome:
    return await anext(parts)


def _encode_sse(part: str | ReplyOutcome, message_id: int | None) -> bytes:
    if isinstance(part, str):
        return b"data: " + orjson.dumps({"type": "chunk", "content": part}) + b"\n\n"
    meta = {"conversation_id": part.conversation.id, "mode": part.conversation.mode, "message_id": message_id}
    if part.message is not None:
        meta["answer_id"] = part.message.id
    return b"data: " + orjson.dumps({"type": "done", "meta": meta}) + b"\n\n"
