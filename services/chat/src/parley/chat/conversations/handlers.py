"""Operators work with conversations: message, accept, transfer, release, close, read, note, typing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints, model_validator

from parley.chat.conversations.queries import Lists
from parley.chat.conversations.service import Conversations
from parley.chat.messages.service import Messages
from parley.chat.schemas import (
    ConversationAnswer,
    ConversationDetail,
    ConversationDetailAnswer,
    Done,
    HistoryView,
    MessageAnswer,
    NoteAnswer,
    ReadMark,
    TranslationView,
    rows,
)
from parley.chat.uploads.service import Uploads
from parley.common.auth.identity import OperatorCaller
from parley.common.events.messages import NoteView
from parley.common.http import Call, Id, Page, Query, RequestBody

Content = Annotated[str, StringConstraints(max_length=8000)]
Written = Annotated[str, StringConstraints(min_length=1, max_length=8000, pattern=r"\S")]
ImageUrl = Annotated[str, StringConstraints(max_length=500)]


class SendMessage(RequestBody):
    conversation_id: Id
    content: Content = ""
    image_url: ImageUrl | None = None

    @model_validator(mode="after")
    def _says_something(self) -> SendMessage:
        if not self.content.strip() and not self.image_url:
            raise ValueError("content or image_url must not be empty")
        return self


class TransferTo(RequestBody):
    operator_id: Id


class InConversation(RequestBody):
    conversation_id: Id


class WriteNote(InConversation):
    content: Written


class ReadUpTo(RequestBody):
    seq: Id


class ReachOut(RequestBody):
    site_id: Id
    session_id: Annotated[str, StringConstraints(pattern=r"^sess_[0-9a-f]{32}$")]
    content: Written


class MessageWindow(Query):
    before_seq: Id | None = None
    limit: Page = 50


Operator = OperatorCaller


@dataclass(frozen=True, slots=True)
class ConversationHandlers:
    conversations: Conversations
    messages: Messages
    lists: Lists
    uploads: Uploads

    async def message(self, call: Call[Operator, SendMessage, None]) -> MessageAnswer:
        image_url = await self.uploads.checked(call.caller.tenant_id, call.body.image_url)
        sent = await self.messages.send(
            call.caller, call.body.conversation_id, call.body.content, image_url, call.idempotency_key
        )
        return MessageAnswer(message=sent.view())

    async def accept(self, call: Call[Operator, None, None]) -> ConversationAnswer:
        accepted = await self.conversations.accept(call.caller, call.path["id"])
        return ConversationAnswer(conversation=accepted.view())

    async def transfer(self, call: Call[Operator, TransferTo, None]) -> ConversationAnswer:
        passed = await self.conversations.transfer(call.caller, call.path["id"], call.body.operator_id)
        return ConversationAnswer(conversation=passed.view())

    async def release(self, call: Call[Operator, None, None]) -> ConversationAnswer:
        released = await self.conversations.release(call.caller, call.path["id"])
        return ConversationAnswer(conversation=released.view())

    async def close(self, call: Call[Operator, None, None]) -> ConversationAnswer:
        closed = await self.conversations.close(call.caller, call.path["id"])
        return ConversationAnswer(conversation=closed.view())

    async def read(self, call: Call[Operator, ReadUpTo, None]) -> ConversationAnswer:
        read = await self.conversations.read(call.caller, call.path["id"], call.body.seq)
        return ConversationAnswer(conversation=read.view())

    async def typing(self, call: Call[Operator, InConversation, None]) -> Done:
        await self.conversations.show_typing(call.caller, call.body.conversation_id)
        return Done()

    async def note(self, call: Call[Operator, WriteNote, None]) -> NoteAnswer:
        note = await self.conversations.note(call.caller, call.body.conversation_id, call.body.content)
        view = NoteView(id=note.id, content=note.content, author=note.author, created_at=note.created_at)
        return NoteAnswer(note=view)

    async def reach_out(self, call: Call[Operator, ReachOut, None]) -> MessageAnswer:
        body = call.body
        sent = await self.messages.reach_out(call.caller, body.site_id, body.session_id, body.content)
        return MessageAnswer(message=sent.view())

    async def show(self, call: Call[Operator, None, MessageWindow]) -> ConversationDetailAnswer:
        conversation = await self.conversations.find(call.caller, call.path["id"])
        opened = await self.lists.open(conversation, call.query.before_seq, call.query.limit)
        translation = conversation.translation
        detail = ConversationDetail(
            **dict(conversation.view()),
            messages=[message.view() for message in opened.messages],
            notes=[
                NoteView(id=note.id, content=note.content, author=note.author, created_at=note.created_at)
                for note in opened.notes
            ],
            translation=TranslationView(
                enabled=translation.enabled,
                lang=translation.lang,
                operator_lang=translation.operator_lang,
                supported=translation.supported,
            ),
            history=[
                HistoryView(at=entry.at, action=entry.action, by=entry.by, to=entry.to)
                for entry in conversation.history
            ],
            reads=[ReadMark(operator=person, seq=seq) for person, seq in conversation.reads],
            previous=rows(opened.previous),
        )
        return ConversationDetailAnswer(conversation=detail)
