"""Writes changes of conversations: compare-and-set on the version, with changes that arrive together batched.

Each change is confirmed when it is durable, with an outcome of its own: an update with a stale version fails
alone, and its transition is applied again to the new state. Several changes of one conversation in a batch are
applied one after the other and written as one update.

Transitions are applied to the cached conversation (`conversation_cache`). A change by another replica shows as a
version conflict and costs one retry. A result without a write is always computed from a fresh read.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import lru_cache

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, WriteError

from parley.chat import metrics
from parley.chat.audit.repository import COLLECTION as AUDIT
from parley.chat.audit.repository import to_document as audit_document
from parley.chat.batching import BatchingQueue
from parley.chat.conversations.conversation_cache import CachedConversation, ConversationCache
from parley.chat.conversations.errors import ConcurrentModification, NewerConversation
from parley.chat.conversations.mappers import changed_fields, to_conversation
from parley.chat.conversations.model import MAX_RECENT_IDS, MAX_UNREAD, Change, Conversation
from parley.chat.conversations.ports import Transition
from parley.chat.knowledge_gaps.repository import QUESTIONS, question_document
from parley.chat.messages.mappers import message_document, note_document
from parley.chat.timeouts import MAX_COMMIT_PAUSE_SECONDS
from parley.common.mongodb import Document, Mongo, Outbox, OutboxInsert, to_outbox_entry
from parley.common.observability import tracing

COLLECTION = "conversations"

_MAX_ATTEMPTS = 30
_MAX_BATCH = 128
_MAX_REWRITTEN_ENTRIES = 4
"""Unpublished outbox entries that are written again, in order to remove the published ones in the same update."""
_IMMUTABLE_FIELD_ERROR = 66
_DUPLICATE_KEY_ERROR = 11000


class VersionConflict(Exception):
    """The conversation was changed since it was read. ConversationWriter catches it and tries the transition again."""


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    tenant_id: int
    conversation_id: int
    transition: Transition


Result = Change | Exception | None


@dataclass(slots=True)
class BatchedUpdate:
    """One conversation's update in a batch: the requests' results, and the state after the last of them."""

    base: CachedConversation
    after: Conversation
    results: list[Result] = field(default_factory=list)
    new_entries: list[Document] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    remaining_entries: Sequence[Document] | None = None
    """The outbox entries before `new_entries` that are not yet published; None if this process does not know."""

    @property
    def only_changes(self) -> bool:
        """Whether each result is a change, so that the version check covers all of them."""
        return len(self.changes) == len(self.results)


class ConversationWriter:
    def __init__(self, mongo: Mongo, outbox: Outbox) -> None:
        self._mongo = mongo
        self._outbox = outbox
        self._cache = ConversationCache()
        # One batch in flight: with two, each was half as large, and processor time grew by a tenth.
        self._write_batched: BatchingQueue[ChangeRequest, Change | None] = BatchingQueue(
            self._process_batch, max_batch_size=_MAX_BATCH, max_pause_seconds=MAX_COMMIT_PAUSE_SECONDS
        )

    async def change(self, tenant_id: int, conversation_id: int, transition: Transition) -> Change | None:
        """Apply a transition. None if there is no such conversation, or no change.

        Raises what the transition raises, and ConcurrentModification.
        """
        # The transition runs in its caller's context: the events it creates carry the caller's trace.
        context = copy_context()
        request = ChangeRequest(tenant_id, conversation_id, lambda current: context.run(transition, current))
        # Each caller's trace has this span; the write itself is in the trace of the batch's first caller.
        with tracing.span("commit conversations"):
            for attempt in range(_MAX_ATTEMPTS):
                try:
                    return await self._write_batched(request)
                except VersionConflict:
                    metrics.WRITE_CONFLICTS.inc()
                    await asyncio.sleep(random.uniform(0, 0.002 * attempt))  # noqa: S311 - jitter
            raise ConcurrentModification

    async def find_snapshot(self, tenant_id: int, conversation_id: int) -> Conversation | None:
        """A conversation from the cache, or else from the database."""
        entry = self._cache.get(conversation_id) or (await self._read([conversation_id])).get(conversation_id)
        if entry is None or entry.conversation.tenant_id != tenant_id:
            return None
        return entry.conversation

    def find_open_snapshot(self, tenant_id: int, visitor_key: str) -> Conversation | None:
        """A visitor's open conversation from the cache; None if it is not cached."""
        conversation = self._cache.get_open(visitor_key)
        return conversation if conversation is not None and conversation.tenant_id == tenant_id else None

    def is_last_writer(self, conversation: Conversation) -> bool:
        """Whether this process has the given state cached: it made the last change, or read it since."""
        cached = self._cache.get(conversation.id)
        return cached is not None and cached.conversation.version == conversation.version

    def on_created(self, document: Document, change: Change) -> None:
        """Publish the outbox of a conversation that was just inserted, and cache it."""
        self._cache.put(CachedConversation(change.conversation))
        self._outbox.enqueue(COLLECTION, document)
        _count(change)

    def invalidate(self, conversation_ids: Iterable[int]) -> None:
        """Read these conversations again before their next change."""
        self._cache.invalidate(conversation_ids)

    async def _process_batch(self, batch: Sequence[ChangeRequest]) -> list[Result]:
        """Each request's result; VersionConflict for those to be tried again."""
        requests: dict[int, list[ChangeRequest]] = {}
        for request in batch:
            requests.setdefault(request.conversation_id, []).append(request)
        updates: dict[int, BatchedUpdate] = {}
        for conversation_id, for_conversation in requests.items():
            cached = self._cache.get(conversation_id)
            update = _apply_all(cached, for_conversation) if cached else None
            if update is not None and update.only_changes:
                updates[conversation_id] = update
        fresh = await self._read([conversation_id for conversation_id in requests if conversation_id not in updates])
        for conversation_id, entry in fresh.items():
            updates[conversation_id] = _apply_all(entry, requests[conversation_id])
        failures = await self._write([update for update in updates.values() if update.changes])
        return _results_in_order(batch, updates, failures)

    async def _read(self, conversation_ids: Sequence[int]) -> dict[int, CachedConversation]:
        if not conversation_ids:
            return {}
        entries: dict[int, CachedConversation] = {}
        async for document in self._mongo[COLLECTION].find({"_id": {"$in": conversation_ids}}):
            entry = CachedConversation(to_conversation(document), tuple(document.get("outbox", ())))
            entries[document["_id"]] = entry
            self._cache.put(entry)
        # A conversation that no longer exists must not stay cached as a visitor's open one.
        self.invalidate(set(conversation_ids) - entries.keys())
        return entries

    async def _write(self, updates: Sequence[BatchedUpdate]) -> dict[int, Exception]:
        """Write all updates. Returns the exception of each conversation that was not written."""
        if not updates:
            return {}
        for update in updates:
            pending = None if update.base.outbox else self._outbox.pending_entries(COLLECTION, update.after.id)
            known_and_few = pending is not None and len(pending) <= _MAX_REWRITTEN_ENTRIES
            update.remaining_entries = pending if known_and_few else None
        try:
            await self._mongo[COLLECTION].bulk_write([_to_update(update) for update in updates], ordered=False)
            failures: dict[int, Exception] = {}
        except BulkWriteError as exc:
            failures = {updates[error["index"]].after.id: _to_exception(error) for error in exc.details["writeErrors"]}
        except BaseException:
            # It is not known which of them were written.
            self.invalidate(update.after.id for update in updates)
            raise
        self.invalidate(failures)
        for update in updates:
            if update.after.id not in failures:
                self._on_written(update)
        return failures

    def _on_written(self, update: BatchedUpdate) -> None:
        self._cache.put(CachedConversation(update.after))
        document = {"_id": update.after.id, "outbox": [*update.base.outbox, *update.new_entries]}
        self._outbox.enqueue(COLLECTION, document, remaining=update.remaining_entries)
        for change in update.changes:
            _count(change)


def _to_exception(error: Document) -> Exception:
    """The exception of one update that was not written."""
    match error["code"]:
        case code if code == _IMMUTABLE_FIELD_ERROR:
            return VersionConflict()
        case code if code == _DUPLICATE_KEY_ERROR:
            # Reopened or joined after the visitor had opened another one: at most one of a visitor's is open.
            return NewerConversation()
        case code:
            return WriteError(error["errmsg"], code)


def _apply_all(base: CachedConversation, requests: Sequence[ChangeRequest]) -> BatchedUpdate:
    """Apply the requests' transitions one after the other."""
    update = BatchedUpdate(base, base.conversation)
    for request in requests:
        update.results.append(_apply(request, update))
    return update


def _apply(request: ChangeRequest, update: BatchedUpdate) -> Result:
    current = update.after
    if current.tenant_id != request.tenant_id:
        return None
    incremented = replace(current, version=current.version + 1)
    try:
        change = request.transition(incremented)
    except Exception as exc:
        return exc
    if change is None:
        return None
    # A transition without effect returns the conversation it was given.
    if not change.events and change.conversation == incremented:
        return replace(change, conversation=current)
    update.after = change.conversation
    update.new_entries += build_outbox_entries(change)
    update.changes.append(change)
    return change


def _to_update(update: BatchedUpdate) -> UpdateOne:
    before = update.base.conversation
    changed = changed_fields(before, update.after)
    pushed = _append_only_changes(before, update.after, changed)
    if update.remaining_entries is not None:
        # Published entries are removed by the same write.
        changed["outbox"] = [*update.remaining_entries, *update.new_entries]
    else:
        pushed["outbox"] = {"$each": update.new_entries}
    return UpdateOne(
        {"_id": before.id, "tenant_id": before.tenant_id, "version": before.version},
        {
            "$set": changed,
            **({"$push": pushed} if pushed else {}),
            # An update that matches nothing is not an error, and a bulk result does not say which update that was.
            # So this is an upsert that can never insert: on a version conflict the server reports an error for it.
            "$setOnInsert": {"_id": None},
        },
        upsert=True,
    )


def _append_only_changes(before: Conversation, after: Conversation, changed: Document) -> Document:
    """Move array fields that only grew out of `changed`, into a $push of the new elements."""
    pushed: Document = {}
    if changed.pop("recent_ids", None) is not None:
        ids = [list(pair) for pair in after.recent_ids if pair[1] > before.last_seq]
        pushed["recent_ids"] = {"$each": ids, "$slice": -MAX_RECENT_IDS}
    if "history" in changed and after.history[: len(before.history)] == before.history:
        # What a newer version has stored in the earlier entries stays.
        pushed["history"] = {"$each": changed.pop("history")[len(before.history) :]}
    unread = [seq for seq in after.unread_seqs if seq > before.last_seq]
    # With fewer than that, some were also marked as read.
    if unread and len(after.unread_seqs) == min(len(before.unread_seqs) + len(unread), MAX_UNREAD):
        del changed["unread_seqs"]
        pushed["unread_seqs"] = {"$each": unread, "$slice": -MAX_UNREAD}
    return pushed


def _results_in_order(
    batch: Sequence[ChangeRequest], updates: dict[int, BatchedUpdate], failures: dict[int, Exception]
) -> list[Result]:
    results: dict[int, list[Result]] = {}
    for conversation_id, update in updates.items():
        failure = failures.get(conversation_id)
        results[conversation_id] = _failed_results(update, failure) if failure else update.results
    remaining = {conversation_id: iter(for_conversation) for conversation_id, for_conversation in results.items()}
    return [
        next(remaining[request.conversation_id]) if request.conversation_id in remaining else None for request in batch
    ]


def _failed_results(update: BatchedUpdate, failure: Exception) -> list[Result]:
    """What the requests of a conversation that was not written get."""
    if not isinstance(failure, NewerConversation):
        return [failure] * len(update.results)
    # Only the change that opened the conversation, or gave an open one to another visitor, fails; the others are tried
    # again without it.
    before = update.base.conversation
    opening = next(
        (
            result
            for result in update.results
            if isinstance(result, Change)
            and result.conversation.open
            and not (before.open and result.conversation.visitor.key == before.visitor.key)
        ),
        None,
    )
    return [failure if result is opening else VersionConflict() for result in update.results]


def build_outbox_entries(change: Change) -> list[Document]:
    """The outbox entries of a change. Each message or note is embedded in its event's entry, audit in the first."""
    embedded = {
        "message.created": [OutboxInsert("messages", message_document(message)) for message in change.messages],
        "note.created": [OutboxInsert("notes", note_document(note)) for note in change.notes],
    }
    entries: list[Document] = []
    for event in change.events:
        of_type = embedded.get(event.type)
        inserts = [of_type.pop(0)] if of_type else []
        if change.audit is not None and not entries:
            inserts.append(OutboxInsert(AUDIT, audit_document(change.audit)))
        if change.unanswered is not None and not entries:
            inserts.append(OutboxInsert(QUESTIONS, question_document(change.unanswered)))
        entries.append(to_outbox_entry(event, *inserts))
    return entries


def _count(change: Change) -> None:
    for event in change.events:
        _transition_counter(event.type).inc()
    for message in change.messages:
        _message_counter(message.role).inc()


# The lookup of a metric by its labels takes longer than its increment.
_transition_counter = lru_cache(metrics.TRANSITIONS.labels)
_message_counter = lru_cache(metrics.MESSAGES.labels)
