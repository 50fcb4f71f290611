"""Operator endpoints that change a conversation: accept, transfer, close, reopen, label, snooze, note and so on."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.conversations.schemas import (
    ConversationRef,
    ConversationResponse,
    LabelsBody,
    NoteBody,
    NoteResponse,
    ReadBody,
    SnoozeBody,
    TransferBody,
    ViewingBody,
)
from parley.chat.conversations.service import ConversationService
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class ConversationHandlers:
    conversations: ConversationService

    async def accept(self, context: RequestContext[OperatorCaller, None, None]) -> ConversationResponse:
        conversation = await self.conversations.accept(context.caller, context.path["id"])
        return ConversationResponse(conversation=conversation.to_schema())

    async def transfer(self, context: RequestContext[OperatorCaller, TransferBody, None]) -> ConversationResponse:
        caller, conversation_id, body = context.caller, context.path["id"], context.body
        if body.team_id is not None:
            conversation = await self.conversations.transfer_to_team(caller, conversation_id, body.team_id)
        else:
            assert body.operator_id is not None
            conversation = await self.conversations.transfer(caller, conversation_id, body.operator_id)
        return ConversationResponse(conversation=conversation.to_schema())

    async def release(self, context: RequestContext[OperatorCaller, None, None]) -> ConversationResponse:
        conversation = await self.conversations.release(context.caller, context.path["id"])
        return ConversationResponse(conversation=conversation.to_schema())

    async def close(self, context: RequestContext[OperatorCaller, None, None]) -> ConversationResponse:
        conversation = await self.conversations.close(context.caller, context.path["id"])
        return ConversationResponse(conversation=conversation.to_schema())

    async def reopen(self, context: RequestContext[OperatorCaller, None, None]) -> ConversationResponse:
        conversation = await self.conversations.reopen(context.caller, context.path["id"])
        return ConversationResponse(conversation=conversation.to_schema())

    async def set_labels(self, context: RequestContext[OperatorCaller, LabelsBody, None]) -> ConversationResponse:
        conversation = await self.conversations.set_labels(context.caller, context.path["id"], context.body.labels)
        return ConversationResponse(conversation=conversation.to_schema())

    async def snooze(self, context: RequestContext[OperatorCaller, SnoozeBody, None]) -> ConversationResponse:
        conversation = await self.conversations.snooze(context.caller, context.path["id"], context.body.until)
        return ConversationResponse(conversation=conversation.to_schema())

    async def unsnooze(self, context: RequestContext[OperatorCaller, None, None]) -> ConversationResponse:
        conversation = await self.conversations.unsnooze(context.caller, context.path["id"])
        return ConversationResponse(conversation=conversation.to_schema())

    async def mark_read(self, context: RequestContext[OperatorCaller, ReadBody, None]) -> ConversationResponse:
        conversation = await self.conversations.mark_read(context.caller, context.path["id"], context.body.seq)
        return ConversationResponse(conversation=conversation.to_schema())

    async def show_typing(self, context: RequestContext[OperatorCaller, ConversationRef, None]) -> OkResponse:
        await self.conversations.show_typing(context.caller, context.body.conversation_id)
        return OkResponse()

    async def show_viewing(self, context: RequestContext[OperatorCaller, ViewingBody, None]) -> OkResponse:
        await self.conversations.show_viewing(context.caller, context.path["id"], context.body.state)
        return OkResponse()

    async def add_note(self, context: RequestContext[OperatorCaller, NoteBody, None]) -> NoteResponse:
        body = context.body
        note = await self.conversations.add_note(context.caller, body.conversation_id, body.content, body.mentions)
        return NoteResponse(note=note.to_schema())
