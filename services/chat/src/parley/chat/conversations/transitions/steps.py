"""What several transitions have in common: appending a message, changing who answers, and what is required."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from parley.chat.conversations import events
from parley.chat.conversations.errors import (
    AssignedToAnother,
    ConversationIsClosed,
)
from parley.chat.conversations.model import (
    MAX_RECENT_IDS,
    MAX_UNREAD,
    Change,
    Conversation,
)
from parley.chat.messages.model import Message, MessageDraft
from parley.common.events.schemas import LastMessage, Mode, OperatorRef
from parley.common.texts import close_directions

PREVIEW_LENGTH = 140


def append_message(
    conversation: Conversation, draft: MessageDraft, at: datetime, **also: Any
) -> tuple[Conversation, Message]:
    """Give the draft the next seq. Leaves to the caller who answers, and whether a reply is due: what else changes.

    Each copy of a conversation is a tenth of a transition, so the caller's changes share this one.
    """
    seq = conversation.last_seq + 1
    message = _to_message(conversation, draft, seq, at)
    recent_ids = conversation.recent_ids
    if draft.message_id is not None:
        recent_ids = (*recent_ids, (draft.message_id, seq))[-MAX_RECENT_IDS:]
    unread_seqs = conversation.unread_seqs
    if draft.role == "visitor":
        unread_seqs = (*unread_seqs, seq)[-MAX_UNREAD:]
    if draft.role == "operator":
        also["first_operator_message_at"] = conversation.first_operator_message_at or at
    elif draft.role == "ai" and not draft.proactive:
        also["first_ai_message_at"] = conversation.first_ai_message_at or at
    last_message = LastMessage(seq=seq, role=draft.role, preview=_build_preview(draft), created_at=at)
    after = replace(
        conversation,
        last_seq=seq,
        last_message=last_message,
        last_visitor_message=last_message if draft.role == "visitor" else conversation.last_visitor_message,
        unread_seqs=unread_seqs,
        recent_ids=recent_ids,
        updated_at=at,
        **also,
    )
    return after, message


def _to_message(conversation: Conversation, draft: MessageDraft, seq: int, at: datetime) -> Message:
    return Message(
        id=draft.id,
        tenant_id=conversation.tenant_id,
        site_id=conversation.site_id,
        conversation_id=conversation.id,
        session=conversation.visitor.session,
        seq=seq,
        role=draft.role,
        content=draft.content,
        created_at=at,
        image_url=draft.image_url,
        file=draft.file,
        sender=draft.sender,
        message_id=draft.message_id,
        reply_to=draft.reply_to,
        proactive=draft.proactive,
        sources=draft.sources,
        confirmation=draft.confirmation,
        tool_calls=draft.tool_calls,
        quick_replies=draft.quick_replies,
        cited=draft.cited,
        cap_reached=draft.cap_reached,
        image_use=draft.image_use,
        translation=draft.translation,
    )


def _build_preview(draft: MessageDraft) -> str:
    """The line that lists show of a message."""
    preview = close_directions(draft.content[:PREVIEW_LENGTH])
    if preview:
        return preview
    return "🖼" if draft.file is None else f"📎 {draft.file.name}"[:PREVIEW_LENGTH]


def end_for_newer(conversation: Conversation, at: datetime) -> Conversation:
    after = reassign(conversation, "closed", None, at).with_history(at, "closed_for_newer", None)
    return replace(after, waiting_since=None)


def reassign(conversation: Conversation, mode: Mode, operator: OperatorRef | None, at: datetime) -> Conversation:
    """Change who answers. Replies that started under the previous generation are discarded from here on."""
    waiting_since = conversation.waiting_since
    if mode == "pending":
        waiting_since = waiting_since or at
    elif mode != "operator" or not conversation.unread_seqs:
        waiting_since = None
    return replace(
        conversation,
        mode=mode,
        operator=operator,
        # Who asks for a person again, after the AI, is not a case of that team any more.
        team_id=None if mode == "ai" else conversation.team_id,
        generation=conversation.generation + 1,
        waiting_since=waiting_since,
        reply_lease=None,
        due_at=None,
        snoozed_until=None,
        silence=conversation.silence if mode == "operator" else None,
        pending_call=None,
        consecutive_misses=0,
        updated_at=at,
    )


def assign_to(
    conversation: Conversation, operator: OperatorRef, at: datetime, timeout: timedelta, action: str = "accepted"
) -> Conversation:
    after = reassign(conversation, "operator", operator, at).with_history(at, action, operator)
    return replace(after, due_at=at + timeout if is_awaited(conversation) else None)


def is_awaited(conversation: Conversation) -> bool:
    """Whether the visitor waits for an operator's reply, also to messages that somebody read while they queued."""
    return bool(conversation.unread_seqs) or conversation.waiting_since is not None


def end_snooze(conversation: Conversation, by: OperatorRef | None, at: datetime, timeout: timedelta | None) -> Change:
    due_at = None
    if conversation.mode == "operator" and is_awaited(conversation) and timeout is not None:
        due_at = at + timeout
    after = replace(conversation, snoozed_until=None, due_at=due_at, updated_at=at).with_history(at, "woken", by)
    return Change(after, (events.updated(after, by, "woken"),))


def seconds_in_queue(conversation: Conversation, at: datetime) -> float | None:
    """How long the visitor has waited in the queue; None if the conversation is not in it."""
    if conversation.mode != "pending" or conversation.waiting_since is None:
        return None
    return max(0.0, (at - conversation.waiting_since).total_seconds())


def require_open(conversation: Conversation) -> None:
    if not conversation.open:
        raise ConversationIsClosed


def require_not_assigned_to_another(conversation: Conversation, by: OperatorRef, *, overrule: bool = False) -> None:
    assigned = conversation.operator
    if assigned is not None and assigned.id != by.id and not overrule:
        raise AssignedToAnother(assigned.id, assigned.name)
