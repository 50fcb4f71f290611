"""What a visitor's widget calls: write, read on, ask for a person, leave an address, give a score."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

import orjson
from aiohttp import web
from pydantic import Field, StringConstraints, model_validator

from parley.chat.ai.reply_service import Answers, Outcome
from parley.chat.conversations.errors import VisitorNotFound
from parley.chat.conversations.handlers import Content, ImageUrl
from parley.chat.conversations.ports import Whereabouts
from parley.chat.messages.service import Messages
from parley.chat.schemas import BlockStatusAnswer, Done, MessagesAnswer
from parley.chat.uploads.service import Uploads
from parley.chat.visitors.handlers import Email, Name, Phone
from parley.chat.visitors.service import Visitors
from parley.common.auth.identity import VisitorCaller
from parley.common.events.schemas import Mode, Timestamp, VisitorView
from parley.common.http import Answer, Call, Id, Page, Query, RequestBody
from parley.common.observability.logging import current_trace, logger

log = logger(__name__)

SiteKey = Annotated[str, StringConstraints(max_length=64)]
SessionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,128}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$", max_length=35)]
MessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]


class FromWidget(RequestBody):
    """Every body of a widget names its site and session; the gateway has made the caller of them."""

    site_key: SiteKey
    session_id: SessionId


class Say(FromWidget):
    message: Content = ""
    image_url: ImageUrl | None = None
    lang: Language | None = None
    message_id: MessageId | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Say:
        if not self.message.strip() and not self.image_url:
            raise ValueError("message or image_url must not be empty")
        return self


class LeaveEmail(FromWidget):
    email: Email
    name: Name | None = None


class LeaveContact(FromWidget):
    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None

    @model_validator(mode="after")
    def _leaves_something(self) -> LeaveContact:
        if not (self.name or self.email or self.phone):
            raise ValueError("name, email or phone must not be empty")
        return self


class Rate(FromWidget):
    score: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[str, StringConstraints(max_length=2000)] | None = None


class ReadSeq(FromWidget):
    seq: Id


class WidgetQuery(Query):
    site_key: SiteKey
    session_id: SessionId


class HistoryQuery(WidgetQuery):
    before_seq: Id | None = None
    limit: Page = 50


class OperatorMessagesQuery(WidgetQuery):
    after_seq: Annotated[int, Field(ge=0, le=2**53 - 1)] = 0


class HistoryAnswer(MessagesAnswer):
    operator: str | None = None
    operator_read_seq: int = 0
    visitor: VisitorView


class ModeAnswer(Answer):
    conversation_id: int
    mode: Mode


class ConfigAnswer(Answer):
    """What the widget needs before anything is said."""

    name: str
    welcome: str
    colours: dict[str, str]
    language: str
    operators_online: bool
    offline_message: str
    open: bool = Field(description="Whether it is within the site's working hours now; true where it has none.")
    opens_at: Timestamp | None = Field(None, description="When it opens again, where it is closed and that is known.")


Visitor = VisitorCaller


@dataclass(frozen=True, slots=True)
class WidgetHandlers:
    messages: Messages
    answers: Answers
    visitors: Visitors
    uploads: Uploads
    whereabouts: Whereabouts

    async def stream(self, call: Call[Visitor, Say, None]) -> web.StreamResponse:
        body = call.body
        image_url = await self.uploads.checked(call.caller.tenant_id, body.image_url)
        # A message that has begun to be written is written, also when its sender hangs up just now.
        received = await asyncio.shield(
            asyncio.ensure_future(
                self.messages.receive(
                    call.caller, body.message, image_url=image_url, message_id=body.message_id, language=body.lang
                )
            )
        )
        answer = self.answers.begin(received)
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
                "X-Request-Id": current_trace().request_id,
            }
        )
        await response.prepare(call.request)
        try:
            async for part in self.answers.follow(received, answer):
                await response.write(_frame(part, received.message.id if received.message else None))
        except ConnectionError:
            raise
        except Exception as exc:
            log.warning("answer_stream_broke", error=repr(exc)[:300])
            await response.write(b'data: {"type":"error","code":"unavailable"}\n\n')
        await response.write_eof()
        return response

    async def history(self, call: Call[Visitor, None, HistoryQuery]) -> HistoryAnswer:
        visitor = await self.visitors.known(call.caller)
        latest = await self.messages.conversations.find_latest(visitor)
        if latest is None:
            return HistoryAnswer(messages=[], visitor=visitor.view())
        found = await self.messages.messages.of_conversation(
            latest, before_seq=call.query.before_seq, limit=call.query.limit
        )
        return HistoryAnswer(
            messages=[message.view() for message in found],
            conversation_id=latest.id,
            mode=latest.mode,
            operator=latest.operator.name if latest.operator else None,
            operator_read_seq=latest.operator_read_seq,
            visitor=visitor.view(),
        )

    async def operator_messages(self, call: Call[Visitor, None, OperatorMessagesQuery]) -> MessagesAnswer:
        visitor = await self.visitors.known(call.caller)
        latest = await self.messages.conversations.find_latest(visitor)
        if latest is None:
            return MessagesAnswer(messages=[])
        found = await self.messages.messages.of_conversation(latest, after_seq=call.query.after_seq, limit=100)
        return MessagesAnswer(
            messages=[message.view() for message in found if message.role == "operator"],
            conversation_id=latest.id,
            mode=latest.mode,
        )

    async def pending_proactive(self, call: Call[Visitor, None, WidgetQuery]) -> MessagesAnswer:
        try:
            visitor = await self.visitors.known(call.caller)
        except VisitorNotFound:
            # Asked by every widget before anything was said: nothing waits for somebody who is new.
            return MessagesAnswer(messages=[])
        latest = await self.messages.conversations.find_open(visitor)
        if latest is None:
            return MessagesAnswer(messages=[])
        found = await self.messages.messages.of_conversation(latest, after_seq=latest.visitor_read_seq, limit=100)
        return MessagesAnswer(
            messages=[message.view() for message in found if message.proactive],
            conversation_id=latest.id,
            mode=latest.mode,
        )

    async def email(self, call: Call[Visitor, LeaveEmail, None]) -> Done:
        details = call.body.model_dump(include={"email", "name"}, exclude_none=True)
        await self.visitors.leave_details(call.caller, details)
        return Done()

    async def contact(self, call: Call[Visitor, LeaveContact, None]) -> Done:
        details = call.body.model_dump(include={"email", "name", "phone"}, exclude_none=True)
        await self.visitors.leave_details(call.caller, details)
        return Done()

    async def block_status(self, call: Call[Visitor, None, WidgetQuery]) -> BlockStatusAnswer:
        try:
            visitor = await self.visitors.known(call.caller)
        except VisitorNotFound:
            return BlockStatusAnswer(blocked=False)
        return BlockStatusAnswer(blocked=visitor.blocked is not None, block_type=visitor.blocked)

    async def rate(self, call: Call[Visitor, Rate, None]) -> Done:
        await self.visitors.rate(call.caller, call.body.score, call.body.comment)
        return Done()

    async def read(self, call: Call[Visitor, ReadSeq, None]) -> Done:
        await self.messages.read(call.caller, call.body.seq)
        return Done()

    async def typing(self, call: Call[Visitor, FromWidget, None]) -> Done:
        await self.messages.show_typing(call.caller)
        return Done()

    async def hand_off(self, call: Call[Visitor, FromWidget, None]) -> ModeAnswer:
        conversation = await self.messages.hand_off(call.caller)
        return ModeAnswer(conversation_id=conversation.id, mode=conversation.mode)

    async def config(self, call: Call[Visitor, None, WidgetQuery]) -> ConfigAnswer:
        site = await self.messages.sites.get(call.caller.tenant_id, call.caller.site_id)
        online = await self.whereabouts.operators_online(site.id)
        opening = site.opening(self.messages.clock())
        return ConfigAnswer(
            name=site.bot_name,
            welcome=site.welcome,
            colours=dict(site.colours),
            language=site.language,
            operators_online=bool(online),
            offline_message=site.offline_message,
            open=opening.open,
            opens_at=opening.opens_at,
        )


def _frame(part: str | Outcome, message_id: int | None) -> bytes:
    if isinstance(part, str):
        return b"data: " + orjson.dumps({"type": "chunk", "content": part}) + b"\n\n"
    meta = {"conversation_id": part.conversation.id, "mode": part.conversation.mode, "message_id": message_id}
    if part.message is not None:
        meta["answer_id"] = part.message.id
    return b"data: " + orjson.dumps({"type": "done", "meta": meta}) + b"\n\n"
