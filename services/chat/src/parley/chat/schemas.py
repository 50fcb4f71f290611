"""Answers that several handlers give, and how the domain's values become them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from parley.chat.conversations.model import Conversation, Visitor
from parley.common.events.messages import NoteView
from parley.common.events.schemas import ConversationView, MessageView, Mode, Person, Timestamp, View, VisitorView
from parley.common.http import Answer


class Done(Answer):
    """Nothing to tell but that it worked."""


class ConversationAnswer(Answer):
    conversation: ConversationView


class MessageAnswer(Answer):
    message: MessageView


class NoteAnswer(Answer):
    note: NoteView


class ChatsAnswer(Answer):
    chats: list[ConversationView]
    next_cursor: str | None = None


class AllChatsAnswer(ChatsAnswer):
    current_user_id: int


class VisitorAnswer(Answer):
    visitor: VisitorView


class BlockedVisitor(VisitorView):
    """A visitor who may not write to the AI, to operators, or to anybody."""

    site_id: int
    blocked_at: Timestamp | None = None


class BlockedAnswer(Answer):
    visitors: list[BlockedVisitor]
    next_cursor: str | None = None


class HistoryView(View):
    """What happened to a conversation, and who did it."""

    at: Timestamp
    action: str
    by: Person | None = None
    to: Person | None = None


class TranslationView(View):
    """How a conversation is translated."""

    enabled: bool
    lang: str | None = None
    operator_lang: str | None = None
    supported: bool = False


class ReadMark(View):
    """Up to where an operator has read."""

    operator: Person
    seq: int


class ConversationDetail(ConversationView):
    """A conversation with all that an operator needs to answer in it."""

    messages: list[MessageView]
    notes: list[NoteView]
    translation: TranslationView
    history: list[HistoryView]
    reads: list[ReadMark]
    previous: list[ConversationView]


class ConversationDetailAnswer(Answer):
    conversation: ConversationDetail


class Pagination(View):
    """Where in a list of numbered pages one is."""

    total: int
    page: int
    per_page: int
    pages: int


class ArchiveAnswer(Answer):
    conversations: list[ConversationView]
    next_cursor: str | None = None
    pagination: Pagination


class Lead(VisitorView):
    """A visitor who left an address."""

    site_id: int
    lead_at: Timestamp | None = None


class LeadsAnswer(Answer):
    leads: list[Lead]
    next_cursor: str | None = None
    pagination: Pagination


class MessagesAnswer(Answer):
    messages: list[MessageView]
    conversation_id: int | None = None
    mode: Mode | None = None


class RatedConversation(View):
    """A score, and the conversation it is for."""

    conversation_id: int
    score: int
    comment: str | None = None
    operator: Person | None = None
    rated_at: Timestamp


class RatingsAnswer(Answer):
    ratings: list[RatedConversation]
    next_cursor: str | None = None


class RatingStatsAnswer(Answer):
    count: int
    average: float | None
    by_score: dict[str, int]


class CountsView(View):
    pending: int = 0
    active: int = 0


class CountsAnswer(Answer):
    pending: int
    active: int
    sites: dict[str, CountsView]


class ColleagueView(View):
    """An operator to transfer to."""

    id: int
    name: str
    online: bool
    active_chats: int


class OperatorsAnswer(Answer):
    operators: list[ColleagueView]


class UploadAnswer(Answer):
    url: str
    width: int
    height: int


class BlockStatusAnswer(Answer):
    blocked: bool
    block_type: Literal["both", "ai", "operator"] | None = None


def pagination(total: int, page: int, per_page: int) -> Pagination:
    return Pagination(total=total, page=page, per_page=per_page, pages=-(-total // per_page))


def rows(conversations: Sequence[Conversation]) -> list[ConversationView]:
    return [conversation.view() for conversation in conversations]


def blocked_row(visitor: Visitor) -> BlockedVisitor:
    return BlockedVisitor(**visitor.view().model_dump(), site_id=visitor.site_id, blocked_at=visitor.blocked_at)


def lead_row(visitor: Visitor) -> Lead:
    return Lead(**visitor.view().model_dump(), site_id=visitor.site_id, lead_at=visitor.lead_at)
