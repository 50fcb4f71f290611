"""Changes of conversations: by compare-and-set on the version, those that come together in one write.

Each change is answered when it is durable itself, and its own outcome is known: an update whose version has passed
fails by itself among the others, is looked at again and tried again. Several changes of one conversation that come
together are applied one after the other and written as one.

The next change is applied to what this process knows of a conversation (`store.known`): another replica's change shows
by the version, and costs a try. Whatever is not written is decided by what was read for it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field, replace

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, WriteError, WTimeoutError

from parley.chat import metrics
from parley.chat.audit.repository import COLLECTION as AUDIT
from parley.chat.audit.repository import document_of as audit_document
from parley.chat.conversations.conversation_cache import Known, KnownConversations
from parley.chat.conversations.errors import TooBusy
from parley.chat.conversations.mappers import changed_fields, conversation_of, message_document, note_document
from parley.chat.conversations.model import MOST_UNREAD, RECENT_IDS, Change, Conversation
from parley.chat.conversations.ports import Transition
from parley.common.mongodb import Document, Mongo, Outbox, Projection, entry_of
from parley.common.observability import tracing
from parley.common.runtime.batching import BatchingQueue

COLLECTION = "conversations"

_TRIES = 30
_BATCH = 128
_KEPT = 4
"""Entries of the outbox that are worth writing again to be rid of the others."""
_IMMUTABLE_FIELD = 66


class _Lost(Exception):
    """Somebody else was faster."""


@dataclass(frozen=True, slots=True)
class _Asked:
    tenant_id: int
    conversation_id: int
    transition: Transition


Answer = Change | Exception | None


@dataclass(slots=True)
class _Draft:
    """What becomes of one conversation in this batch."""

    known: Known
    after: Conversation
    answers: list[Answer] = field(default_factory=list)
    entries: list[Document] = field(default_factory=list)
    written: list[Change] = field(default_factory=list)
    kept: Sequence[Document] | None = None
    """What is left of the outbox before its entries, all else being told; None where nobody here knows that."""

    @property
    def only_writes(self) -> bool:
        """Whether every answer is a change that the version guards."""
        return len(self.written) == len(self.answers)


class Commits:
    """Applies transitions and writes what they make."""

    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._outbox = outbox
        self._known = KnownConversations()
        # One batch at a time: with two under way each was half as large, and all took a tenth more processor time.
        self._together: BatchingQueue[_Asked, Change | None] = BatchingQueue(self._commit, most=_BATCH)

    async def change(self, tenant_id: int, conversation_id: int, transition: Transition) -> Change | None:
        """Apply a transition; None where there is no such conversation, or no change.

        Raises what the transition raises, and TooBusy.
        """
        # In the asker's own context: the events it makes carry their request's trace.
        own = copy_context()
        asked = _Asked(tenant_id, conversation_id, lambda now: own.run(transition, now))
        # Every asker's trace has this one; the write itself is in that of the first of those who share it.
        with tracing.span("commit conversations"):
            for attempt in range(_TRIES):
                try:
                    return await self._together(asked)
                except _Lost:
                    metrics.RETRIES.inc()
                    await asyncio.sleep(random.uniform(0, 0.002 * attempt))  # noqa: S311 - jitter
            raise TooBusy

    async def recall(self, tenant_id: int, conversation_id: int) -> Conversation | None:
        """A conversation as this process last knew it, or as it is; it may have changed since."""
        known = self._known.get(conversation_id) or (await self._read([conversation_id])).get(conversation_id)
        if known is None or known.conversation.tenant_id != tenant_id:
            return None
        return known.conversation

    def recall_open(self, tenant_id: int, visitor_key: str) -> Conversation | None:
        """A visitor's open conversation as this process last knew it; None where it knows of none."""
        known = self._known.open_of(visitor_key)
        return known if known is not None and known.tenant_id == tenant_id else None

    def made(self, document: Document, change: Change) -> None:
        """A conversation was inserted: tell of it, and remember it."""
        self._known.remember(Known(change.conversation))
        self._outbox.tell(COLLECTION, document)
        _count(change)

    def forget(self, conversation_ids: Iterable[int]) -> None:
        """Read these anew when they are changed next."""
        self._known.forget(conversation_ids)

    async def _commit(self, batch: Sequence[_Asked]) -> list[Answer]:
        """Each one's answer; `_Lost` where it is to be tried again."""
        asked: dict[int, list[_Asked]] = {}
        for one in batch:
            asked.setdefault(one.conversation_id, []).append(one)
        drafts: dict[int, _Draft] = {}
        for conversation_id, among in asked.items():
            known = self._known.get(conversation_id)
            draft = _drafted(known, among) if known else None
            if draft is not None and draft.only_writes:
                drafts[conversation_id] = draft
        read = await self._read([conversation_id for conversation_id in asked if conversation_id not in drafts])
        for conversation_id, fresh in read.items():
            drafts[conversation_id] = _drafted(fresh, asked[conversation_id])
        problems = await self._write([draft for draft in drafts.values() if draft.written])
        return _in_order(batch, drafts, problems)

    async def _read(self, conversation_ids: Sequence[int]) -> dict[int, Known]:
        if not conversation_ids:
            return {}
        read: dict[int, Known] = {}
        async for row in self._mongo[COLLECTION].find({"_id": {"$in": conversation_ids}}):
            read[row["_id"]] = Known(conversation_of(row), tuple(row.get("outbox", ())))
            self._known.remember(read[row["_id"]])
        # What is gone must not be known as a visitor's open conversation for ever.
        self.forget(set(conversation_ids) - read.keys())
        return read

    async def _write(self, drafts: Sequence[_Draft]) -> dict[int, Exception]:
        """Write them all. The problem of each conversation that was not written."""
        if not drafts:
            return {}
        problems: dict[int, Exception] = {}
        for draft in drafts:
            untold = None if draft.known.riding else self._outbox.untold(COLLECTION, draft.after.id)
            draft.kept = untold if untold is not None and len(untold) <= _KEPT else None
        try:
            await self._mongo[COLLECTION].bulk_write([_update(draft) for draft in drafts], ordered=False)
        except BulkWriteError as exc:
            concerns = exc.details.get("writeConcernErrors")
            if concerns:
                self.forget(draft.after.id for draft in drafts)
                raise WTimeoutError(concerns[0].get("errmsg", "not durable in time"), details=concerns[0]) from exc
            for fault in exc.details["writeErrors"]:
                lost = fault["code"] == _IMMUTABLE_FIELD
                problems[drafts[fault["index"]].after.id] = (
                    _Lost() if lost else WriteError(fault["errmsg"], fault["code"])
                )
        except BaseException:
            # Nobody knows what was written of it.
            self.forget(draft.after.id for draft in drafts)
            raise
        self.forget(problems)
        for draft in drafts:
            if draft.after.id not in problems:
                self._written(draft)
        return problems

    def _written(self, draft: _Draft) -> None:
        self._known.remember(Known(draft.after))
        told = {"_id": draft.after.id, "outbox": [*draft.known.riding, *draft.entries]}
        self._outbox.tell(COLLECTION, told, beside=draft.kept)
        for change in draft.written:
            _count(change)


def _drafted(known: Known, among: Sequence[_Asked]) -> _Draft:
    """The transitions applied, one after the other."""
    draft = _Draft(known, known.conversation)
    for one in among:
        draft.answers.append(_applied(one, draft))
    return draft


def _applied(one: _Asked, draft: _Draft) -> Answer:
    now = draft.after
    if now.tenant_id != one.tenant_id:
        return None
    counted = replace(now, version=now.version + 1)
    try:
        change = one.transition(counted)
    except Exception as refusal:
        return refusal
    if change is None:
        return None
    # A transition that changes nothing gives back what it was given.
    if not change.events and change.conversation == counted:
        return replace(change, conversation=now)
    draft.after = change.conversation
    draft.entries += entries_of(change)
    draft.written.append(change)
    return change


def _update(draft: _Draft) -> UpdateOne:
    before = draft.known.conversation
    changed = changed_fields(before, draft.after)
    pushed = _grown(before, draft.after, changed)
    if draft.kept is not None:
        # What was told before goes in passing.
        changed["outbox"] = [*draft.kept, *draft.entries]
    else:
        pushed["outbox"] = {"$each": draft.entries}
    return UpdateOne(
        {"_id": before.id, "tenant_id": before.tenant_id, "version": before.version},
        {
            "$set": changed,
            **({"$push": pushed} if pushed else {}),
            # An update that matches nothing is silent about it, and in a batch one cannot tell which it was. So this
            # is an upsert whose insert is impossible: where the version has passed, the server says so of this one.
            "$setOnInsert": {"_id": None},
        },
        upsert=True,
    )


def _grown(before: Conversation, after: Conversation, changed: Document) -> Document:
    """What has only grown is pushed instead of being written whole: taken out of `changed`."""
    pushed: Document = {}
    if changed.pop("recent_ids", None) is not None:
        ids = [list(pair) for pair in after.recent_ids if pair[1] > before.last_seq]
        pushed["recent_ids"] = {"$each": ids, "$slice": -RECENT_IDS}
    unread = [seq for seq in after.unread_seqs if seq > before.last_seq]
    # Less than that, and some were read as well.
    if unread and len(after.unread_seqs) == min(len(before.unread_seqs) + len(unread), MOST_UNREAD):
        del changed["unread_seqs"]
        pushed["unread_seqs"] = {"$each": unread, "$slice": -MOST_UNREAD}
    return pushed


def _in_order(batch: Sequence[_Asked], drafts: dict[int, _Draft], problems: dict[int, Exception]) -> list[Answer]:
    answers: dict[int, list[Answer]] = {}
    for conversation_id, draft in drafts.items():
        problem = problems.get(conversation_id)
        answers[conversation_id] = [problem] * len(draft.answers) if problem else draft.answers
    waiting = {conversation_id: iter(among) for conversation_id, among in answers.items()}
    return [next(waiting[one.conversation_id]) if one.conversation_id in waiting else None for one in batch]


def entries_of(change: Change) -> list[Document]:
    """The outbox entries of a change: events carry the messages and notes they tell of, the first the audit entry."""
    carried = {
        "message.created": [Projection("messages", message_document(message)) for message in change.messages],
        "note.created": [Projection("notes", note_document(note)) for note in change.notes],
    }
    entries: list[Document] = []
    for event in change.events:
        waiting = carried.get(event.type)
        luggage = [waiting.pop(0)] if waiting else []
        if change.audit is not None and not entries:
            luggage.append(Projection(AUDIT, audit_document(change.audit)))
        entries.append(entry_of(event, *luggage))
    return entries


def _count(change: Change) -> None:
    for event in change.events:
        metrics.CONVERSATIONS.labels(event.type).inc()
    for message in change.messages:
        metrics.MESSAGES.labels(message.role).inc()
