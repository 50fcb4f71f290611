"""Transitions that concern the visitor: read marks, rating, contact details, identification, translation, erasure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from parley.chat.conversations import events
from parley.chat.conversations.model import (
    MAX_READ_MARKS,
    Change,
    Conversation,
    TranslationState,
)
from parley.chat.conversations.transitions.steps import end_for_newer, reassign
from parley.chat.visitors.model import Visitor
from parley.common.errors import ValidationFailed
from parley.common.events import Event
from parley.common.events.schemas import OperatorRef


def mark_read_by_operator(conversation: Conversation, seq: int, by: OperatorRef, at: datetime) -> Change:
    """Raises ValidationFailed for a seq that does not exist yet."""
    if seq > conversation.last_seq:
        raise ValidationFailed({"seq": f"the newest message is {conversation.last_seq}"})
    before = next((read for person, read in conversation.reads if person.id == by.id), 0)
    if seq <= before:
        return Change(conversation)
    others = tuple((person, read) for person, read in conversation.reads if person.id != by.id)
    after = replace(
        conversation,
        operator_read_seq=max(seq, conversation.operator_read_seq),
        reads=(*others, (by, seq))[-MAX_READ_MARKS:],
        unread_seqs=tuple(unread for unread in conversation.unread_seqs if unread > seq),
        updated_at=at,
    )
    return Change(after, (events.message_read(after, seq, by),))


def mark_read_by_visitor(conversation: Conversation, seq: int, at: datetime) -> Change:
    """A seq that does not exist yet counts as the newest."""
    seq = min(seq, conversation.last_seq)
    if seq <= conversation.visitor_read_seq:
        return Change(conversation)
    after = replace(conversation, visitor_read_seq=seq, updated_at=at)
    return Change(after, (events.message_read(after, seq, None),))


def rate(conversation: Conversation, score: int, comment: str | None, at: datetime) -> Change:
    """Set the visitor's rating; a later one replaces it."""
    after = replace(conversation, rating=score, rating_comment=comment, rated_at=at, updated_at=at)
    return Change(after, (events.rated(after, score, comment),))


def record_transcript(conversation: Conversation, by: OperatorRef | None, at: datetime) -> Change:
    """Note in the history that the conversation is sent by e-mail, by an operator or (None) by its visitor."""
    action = "transcript_sent"
    after = replace(conversation, updated_at=at).with_history(at, action, by)
    return Change(after, (events.updated(after, by, history_action=action),))


def apply_visitor_update(conversation: Conversation, visitor: Visitor, by: OperatorRef | None, at: datetime) -> Change:
    """Update the conversation's copy of the visitor; an older version changes nothing.

    A visitor who is now blocked for operators is returned to the AI.
    """
    if visitor.key != conversation.visitor.key or visitor.version <= conversation.visitor.version:
        return Change(conversation)
    block_changed = visitor.blocked != conversation.visitor.blocked
    after = replace(conversation, visitor=visitor, updated_at=at)
    emitted: list[Event] = []
    if block_changed and visitor.blocked in ("both", "operator") and after.mode in ("operator", "pending"):
        after = reassign(after, "ai", None, at).with_history(at, "released", by)
        emitted.append(events.released(after, "blocked", by))
    if block_changed and by is not None:
        emitted.append(events.visitor_blocked(after, by))
    else:
        emitted.append(events.visitor_updated(after, by))
    return Change(after, tuple(emitted))


def join(conversation: Conversation, session: str, person: Visitor, at: datetime, *, stays_open: bool) -> Change | None:
    """Give the conversation of an unidentified session to the person whom the site has identified.

    It is closed unless it `stays_open`, and returned to the AI if the person may not reach operators. None if it is
    not that session's any more.
    """
    if conversation.visitor.session != session:
        return None
    # Consent was given by nobody in particular: it is not the person's.
    after = replace(conversation, visitor=person, pending_call=None, updated_at=at).with_history(at, "joined", None)
    if after.open and not stays_open:
        after = end_for_newer(after, at)
    elif person.blocked in ("both", "operator") and after.mode in ("operator", "pending"):
        after = reassign(after, "ai", None, at).with_history(at, "released", None)
    return Change(after, (events.joined(after, session),))


def apply_translation_update(conversation: Conversation, translation: TranslationState, at: datetime) -> Change:
    """Store how the translate service translates this conversation; an older version changes nothing."""
    if translation.version < conversation.translation.version or conversation.translation == translation:
        return Change(conversation)
    after = replace(conversation, translation=translation, updated_at=at)
    return Change(after, (events.updated(after),))


def anonymized(conversation: Conversation, at: datetime) -> Conversation:
    """The conversation closed and without any data of its visitor, as the events of an erasure carry it."""
    visitor = Visitor(conversation.tenant_id, conversation.site_id, conversation.visitor.session)
    after = reassign(conversation, "closed", None, at)
    return replace(
        after,
        visitor=visitor,
        last_message=None,
        last_visitor_message=None,
        unread_seqs=(),
        label_ids=(),
        rating=None,
        rating_comment=None,
        waiting_since=None,
        version=conversation.version + 1,
    )
