"""What can happen to a conversation: pure functions from what it is to a `Change`, or an error that says why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from parley.chat.conversations import events as facts
from parley.chat.conversations.errors import ConversationClosed, HeldByAnother, NotHeld
from parley.chat.conversations.model import (
    READERS,
    AnswerDue,
    Change,
    Conversation,
    Draft,
    Note,
    Translation,
    Visitor,
    add_message,
)
from parley.common.errors import Invalid
from parley.common.events import Event
from parley.common.events.schemas import Mode, Person

LEASE = timedelta(seconds=20)
"""How long the replica that owes an answer may be silent before another takes it over."""


def _hand(conversation: Conversation, mode: Mode, operator: Person | None, at: datetime) -> Conversation:
    """Change who answers: from here on whatever was begun under the old generation is stale."""
    waiting = conversation.waiting_since
    if mode == "pending":
        waiting = waiting or at
    elif mode != "operator" or not conversation.unread_seqs:
        waiting = None
    return replace(
        conversation,
        mode=mode,
        operator=operator,
        generation=conversation.generation + 1,
        waiting_since=waiting,
        answer_due=None,
        due_at=None,
        misses=0,
        updated_at=at,
    )


def _require_open(conversation: Conversation) -> None:
    if not conversation.open:
        raise ConversationClosed


def _require_not_anothers(conversation: Conversation, by: Person, *, overrule: bool = False) -> None:
    holder = conversation.operator
    if holder is not None and holder.id != by.id and not overrule:
        raise HeldByAnother(holder.id, holder.name)


def _taken(conversation: Conversation, by: Person, at: datetime, timeout: timedelta) -> Conversation:
    after = _hand(conversation, "operator", by, at).remembering(at, "accepted", by)
    return replace(after, due_at=at + timeout if conversation.unread_seqs else None)


def open_by_visitor(visitor: Visitor, id_: int, previous_id: int | None, mode: Mode, at: datetime) -> Change:
    """A visitor's new conversation, empty as yet."""
    conversation = Conversation(
        id=id_,
        tenant_id=visitor.tenant_id,
        site_id=visitor.site_id,
        visitor=visitor,
        mode=mode,
        created_at=at,
        updated_at=at,
        waiting_since=at if mode == "pending" else None,
        previous_id=previous_id,
    )
    return Change(conversation, (facts.created(conversation, None),))


def visitor_says(
    conversation: Conversation,
    draft: Draft,
    at: datetime,
    timeout: timedelta,
    *,
    to_person: bool,
    notice: Draft | None = None,
) -> Change:
    """A visitor's message; with `to_person`, the AI not being for this visitor, a person is asked for too.

    `notice` is what they are told then, where nobody is there to come.
    """
    _require_open(conversation)
    after, message = add_message(conversation, draft, at)
    events: list[Event] = []
    if after.mode == "ai" and not to_person:
        after = replace(after, answer_due=AnswerDue(message.seq, at + LEASE))
    if after.mode == "operator":
        after = replace(after, waiting_since=after.waiting_since or at, due_at=after.due_at or at + timeout)
    events.append(facts.said(after, message))
    if after.mode == "ai" and to_person:
        after = _hand(after, "pending", None, at).remembering(at, "pending", None)
        events.append(facts.pending(after, "ai_blocked"))
        if notice is not None:
            after, told = add_message(after, notice, at)
            return Change(after, (*events, facts.said(after, told)), (message, told))
    return Change(after, tuple(events), (message,))


def operator_says(conversation: Conversation, draft: Draft, by: Person, at: datetime, timeout: timedelta) -> Change:
    """An operator's message; in a conversation that nobody holds it takes it over first."""
    _require_open(conversation)
    _require_not_anothers(conversation, by)
    events: list[Event] = []
    after = conversation
    if after.operator is None:
        after = _taken(after, by, at, timeout)
        events.append(facts.accepted(after, by))
    after, message = add_message(after, draft, at)
    after = replace(after, waiting_since=None, due_at=None)
    events.append(facts.said(after, message))
    return Change(after, tuple(events), (message,))


def ai_says(
    conversation: Conversation, draft: Draft, generation: int, at: datetime, *, knew: bool, tokens: int = 0
) -> Change | None:
    """The AI's answer, if it may still speak: None when who answers has changed since it began."""
    if conversation.generation != generation or conversation.mode != "ai":
        return None
    after, message = add_message(conversation, draft, at)
    due = after.answer_due
    if due is not None and draft.reply_to is not None and due.seq <= draft.reply_to:
        due = None
    misses = 0 if knew else after.misses + 1
    after = replace(after, answer_due=due, misses=misses, tokens=after.tokens + tokens)
    return Change(after, (facts.said(after, message),), (message,))


def accept(conversation: Conversation, by: Person, at: datetime, timeout: timedelta) -> Change:
    """Take it over from the AI or from the queue. Of two at once the slower one is told who holds it."""
    _require_open(conversation)
    _require_not_anothers(conversation, by)
    if conversation.held_by(by.id):
        return Change(conversation)
    after = _taken(conversation, by, at, timeout)
    return Change(after, (facts.accepted(after, by),))


def hand_off(conversation: Conversation, reason: str, at: datetime, notice: Draft | None = None) -> Change:
    """Ask for a person, with a word to the visitor. Where one is there or awaited already, nothing changes."""
    _require_open(conversation)
    if conversation.mode != "ai":
        return Change(conversation)
    after = _hand(conversation, "pending", None, at).remembering(at, "pending", None)
    events = [facts.pending(after, reason)]
    if notice is None:
        return Change(after, tuple(events))
    after, message = add_message(after, notice, at)
    return Change(after, (*events, facts.said(after, message)), (message,))


def transfer(
    conversation: Conversation, to: Person, by: Person, at: datetime, timeout: timedelta, *, overrule: bool
) -> Change:
    """Pass it on. The new holder's time to answer begins now, where an answer is owed."""
    _require_open(conversation)
    _require_not_anothers(conversation, by, overrule=overrule)
    if conversation.held_by(to.id):
        return Change(conversation)
    before = conversation.operator
    after = _hand(conversation, "operator", to, at).remembering(at, "transferred", by, to)
    after = replace(after, due_at=at + timeout if after.unread_seqs else None)
    return Change(after, (facts.transferred(after, by, before),))


def release(conversation: Conversation, by: Person, at: datetime, *, overrule: bool) -> Change:
    """Give it back to the AI."""
    _require_open(conversation)
    _require_not_anothers(conversation, by, overrule=overrule)
    if conversation.mode == "ai":
        raise NotHeld
    after = _hand(conversation, "ai", None, at).remembering(at, "released", by)
    return Change(after, (facts.released(after, "released", by),))


def close(conversation: Conversation, by: Person, at: datetime, *, overrule: bool) -> Change:
    """End it."""
    _require_open(conversation)
    _require_not_anothers(conversation, by, overrule=overrule)
    after = _hand(conversation, "closed", None, at).remembering(at, "closed", by)
    after = replace(after, waiting_since=None)
    return Change(after, (facts.closed(after, by),))


def silence(conversation: Conversation, to: Mode, at: datetime) -> Change | None:
    """The holder has been silent for too long. None when that is not so any more."""
    if conversation.due_at is None or conversation.due_at > at or conversation.mode != "operator":
        return None
    after = _hand(conversation, to, None, at).remembering(at, "timed_out", None)
    if to == "ai":
        newest = conversation.unread_seqs[-1] if conversation.unread_seqs else None
        # The visitor still waits for a word: the AI owes it now.
        after = replace(after, answer_due=AnswerDue(newest, at) if newest else None)
        return Change(after, (facts.released(after, "operator_timeout", None),))
    return Change(after, (facts.pending(after, "operator_timeout"),))


def renew_claim(conversation: Conversation, at: datetime) -> Change | None:
    """Take over an answer whose replica has died. None when it is not owed any more."""
    due = conversation.answer_due
    if due is None or due.until > at or conversation.mode != "ai":
        return None
    return Change(replace(conversation, answer_due=AnswerDue(due.seq, at + LEASE)))


def drop_claim(conversation: Conversation, seq: int) -> Change | None:
    """No answer is owed to `seq` any more."""
    due = conversation.answer_due
    if due is None or due.seq > seq:
        return None
    return Change(replace(conversation, answer_due=None))


def operator_reads(conversation: Conversation, seq: int, by: Person, at: datetime) -> Change:
    """An operator has read up to `seq`."""
    if seq > conversation.last_seq:
        raise Invalid({"seq": f"the newest message is {conversation.last_seq}"})
    before = next((read for person, read in conversation.reads if person.id == by.id), 0)
    if seq <= before:
        return Change(conversation)
    others = tuple((person, read) for person, read in conversation.reads if person.id != by.id)
    after = replace(
        conversation,
        operator_read_seq=max(seq, conversation.operator_read_seq),
        reads=(*others, (by, seq))[-READERS:],
        unread_seqs=tuple(unread for unread in conversation.unread_seqs if unread > seq),
        updated_at=at,
    )
    return Change(after, (facts.read(after, seq, by),))


def visitor_reads(conversation: Conversation, seq: int, at: datetime) -> Change:
    """The visitor has seen up to `seq`."""
    seq = min(seq, conversation.last_seq)
    if seq <= conversation.visitor_read_seq:
        return Change(conversation)
    after = replace(conversation, visitor_read_seq=seq, updated_at=at)
    return Change(after, (facts.read(after, seq, None),))


def note(conversation: Conversation, written: Note, at: datetime) -> Change:
    """A private note."""
    after = replace(conversation, updated_at=at)
    return Change(after, (facts.noted(after, written),), notes=(written,))


def rate(conversation: Conversation, score: int, comment: str | None, at: datetime) -> Change:
    """The visitor's score; a later one takes its place."""
    after = replace(conversation, rating=score, rating_comment=comment, rated_at=at, updated_at=at)
    return Change(after, (facts.rated(after, score, comment),))


def know_visitor(conversation: Conversation, visitor: Visitor, by: Person | None, at: datetime) -> Change:
    """What is known of the visitor changed; an older state of it changes nothing."""
    if visitor.version <= conversation.visitor.version:
        return Change(conversation)
    blocked = visitor.blocked != conversation.visitor.blocked
    after = replace(conversation, visitor=visitor, updated_at=at)
    events: list[Event] = []
    if blocked and visitor.blocked in ("both", "operator") and after.mode in ("operator", "pending"):
        after = _hand(after, "ai", None, at).remembering(at, "released", by)
        events.append(facts.released(after, "blocked", by))
    if blocked and by is not None:
        events.append(facts.visitor_blocked(after, by))
    else:
        events.append(facts.visitor_updated(after, by))
    return Change(after, tuple(events))


def know_translation(conversation: Conversation, translation: Translation, at: datetime) -> Change:
    """The translate service has told how this conversation is translated; older news changes nothing."""
    if translation.version < conversation.translation.version or conversation.translation == translation:
        return Change(conversation)
    after = replace(conversation, translation=translation, updated_at=at)
    return Change(after, (facts.updated(after),))


def emptied(conversation: Conversation, at: datetime) -> Conversation:
    """A conversation closed, with nothing left in it of what the visitor was or said: what is told of its erasure."""
    nobody = Visitor(conversation.tenant_id, conversation.site_id, conversation.visitor.session)
    after = _hand(conversation, "closed", None, at)
    return replace(
        after,
        visitor=nobody,
        last_message=None,
        unread_seqs=(),
        rating=None,
        rating_comment=None,
        waiting_since=None,
        version=conversation.version + 1,
    )
