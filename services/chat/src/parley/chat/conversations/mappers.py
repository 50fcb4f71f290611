"""Conversations to and from MongoDB documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from parley.chat.ai.usage import EngineUsage, TokenUsage
from parley.chat.conversations.model import (
    AssignmentCandidate,
    Conversation,
    HistoryEntry,
    ReplyLease,
    TranslationState,
    VisitorSilence,
)
from parley.chat.conversations.visitor_search import search_terms
from parley.chat.messages.mappers import operator_ref_document, to_operator_ref
from parley.chat.newer_documents import known_fields
from parley.chat.tools.model import PendingCall
from parley.chat.visitors.mappers import to_visitor, visitor_document
from parley.chat.visitors.model import Visitor
from parley.common.events.schemas import LastMessage, OperatorRef, TeamRef
from parley.common.mongodb import Document

NOT_WAITING = datetime(9999, 1, 1, tzinfo=UTC)
"""`queue_at` of conversations whose visitor does not wait: sorts them behind all who do."""

_SNOOZED = NOT_WAITING + timedelta(days=1)
"""`queue_at` of snoozed conversations: the lists of open ones end before it."""


def primary_language(tag: str) -> str:
    """The language of a BCP 47 tag, without region and script: what lists are filtered by."""
    return tag.split("-", maxsplit=1)[0].lower()


def label_facet(label_id: int) -> str:
    return f"label:{label_id}"


def team_facet(team_id: int) -> str:
    return f"team:{team_id}"


def operator_facet(operator_id: int) -> str:
    return f"operator:{operator_id}"


def language_facet(language: str) -> str:
    return f"language:{primary_language(language)}"


def rating_facet(rating: int) -> str:
    return f"rating:{rating}"


def _facets(conversation: Conversation) -> Document:
    """What lists are filtered by, as terms of one index. Computed also by the migration `fill_facets`."""
    facets = [label_facet(label_id) for label_id in conversation.label_ids]
    if conversation.team_id is not None:
        facets.append(team_facet(conversation.team_id))
    if conversation.operator is not None:
        facets.append(operator_facet(conversation.operator.id))
    if conversation.visitor.language:
        facets.append(language_facet(conversation.visitor.language))
    if conversation.rating is not None:
        facets.append(rating_facet(conversation.rating))
    return {"facets": facets}


def _past_and_present_operators(conversation: Conversation) -> set[int]:
    assigned = [entry.assigned_operator for entry in conversation.history]
    return {person.id for person in (*assigned, conversation.operator) if person is not None}


def _last_message(conversation: Conversation) -> Document:
    last = conversation.last_message
    return {"last_message": last.model_dump() if last else None}


def _last_visitor_message(conversation: Conversation) -> Document:
    last = conversation.last_visitor_message
    return {"last_visitor_message": last.model_dump() if last else None}


def _reply_lease(conversation: Conversation) -> Document:
    lease = conversation.reply_lease
    return {"answer_due": {"seq": lease.seq, "until": lease.until} if lease else None}


def _reads(conversation: Conversation) -> Document:
    return {"reads": [{"operator": operator_ref_document(person), "seq": seq} for person, seq in conversation.reads]}


def _translation(conversation: Conversation) -> Document:
    translation = conversation.translation
    return {
        "translation": {
            "enabled": translation.enabled,
            "lang": translation.lang,
            "operator_lang": translation.operator_lang,
            "supported": translation.supported,
            "version": translation.version,
        }
    }


def _history(conversation: Conversation) -> Document:
    return {
        "history": [
            {
                "at": entry.at,
                "action": entry.action,
                "by": operator_ref_document(entry.by),
                "to": operator_ref_document(entry.to),
                **_assignment(entry),
            }
            for entry in conversation.history
        ]
    }


def _assignment(entry: HistoryEntry) -> Document:
    """The fields that only entries about assignments and teams have."""
    fields: Document = {}
    if entry.reason is not None:
        fields["reason"] = entry.reason
    if entry.team is not None:
        fields["team"] = entry.team.model_dump()
    if entry.candidates:
        fields["candidates"] = [
            {"operator": operator_ref_document(one.operator), "status": one.status} for one in entry.candidates
        ]
    return fields


def _to_history_entry(document: Document) -> HistoryEntry:
    team = document.get("team")
    return HistoryEntry(
        document["at"],
        document["action"],
        to_operator_ref(document["by"]),
        to_operator_ref(document["to"]),
        document.get("reason"),
        TeamRef(**team) if team else None,
        tuple(
            AssignmentCandidate(OperatorRef(**one["operator"]), one["status"]) for one in document.get("candidates", ())
        ),
    )


def _visitor(conversation: Conversation) -> Document:
    return {"visitor_key": conversation.visitor.key, "visitor": visitor_document(conversation.visitor)}


def _visitor_changes(before: Visitor, after: Visitor) -> Document:
    """The fields of the same visitor that differ: what a newer version has stored besides them stays."""
    old = visitor_document(before)
    return {f"visitor.{name}": value for name, value in visitor_document(after).items() if value != old[name]}


def _waiting(conversation: Conversation) -> Document:
    queue_at = _SNOOZED if conversation.snoozed_until else conversation.waiting_since or NOT_WAITING
    return {"waiting_since": conversation.waiting_since, "queue_at": queue_at}


def usage_documents(usage: Sequence[EngineUsage] | None) -> list[Document] | None:
    if usage is None:
        return None
    return [{"engine": one.engine, **asdict(one.tokens), "cost": one.cost} for one in usage]


def to_usage(documents: Sequence[Document] | None) -> tuple[EngineUsage, ...] | None:
    if documents is None:
        return None
    return tuple(
        EngineUsage(row["engine"], TokenUsage(row["input"], row["output"], row["embedding"]), row["cost"])
        for row in documents
    )


def _silence(conversation: Conversation) -> Document:
    silence = conversation.silence
    document = silence and {"since": silence.since, "check_at": silence.check_at, "announced": silence.announced}
    return {"silence": document}


def _pending_call(conversation: Conversation) -> Document:
    pending = conversation.pending_call
    return {"pending_call": asdict(pending) if pending else None}


def _to_pending_call(document: Document) -> PendingCall:
    # The version after this one may write further fields.
    return PendingCall(**{name: document[name] for name in PendingCall.__slots__ if name in document})


_PLAIN_FIELDS = (
    "tenant_id",
    "site_id",
    "generation",
    "last_seq",
    "operator_read_seq",
    "visitor_read_seq",
    "due_at",
    "tokens",
    "first_ai_message_at",
    "first_operator_message_at",
    "previous_id",
    "team_id",
    "rating",
    "rating_comment",
    "rated_at",
    "snoozed_until",
    "created_at",
    "updated_at",
    "version",
)
"""Attributes that are stored as they are, under their own name."""

_COMPUTED_FIELDS: tuple[tuple[tuple[str, ...], Callable[[Conversation], Document]], ...] = (
    (("visitor",), _visitor),
    (("mode",), lambda conversation: {"mode": conversation.mode, "open": conversation.open}),
    (("operator",), lambda conversation: {"operator": operator_ref_document(conversation.operator)}),
    (("last_message",), _last_message),
    (("last_visitor_message",), _last_visitor_message),
    (("unread_seqs",), lambda conversation: {"unread_seqs": list(conversation.unread_seqs)}),
    (("reads",), _reads),
    (("label_ids",), lambda conversation: {"labels": list(conversation.label_ids)}),
    (("waiting_since", "snoozed_until"), _waiting),
    (("usage",), lambda conversation: {"usage": usage_documents(conversation.usage)}),
    (("silence",), _silence),
    (("pending_call",), _pending_call),
    (("reply_lease",), _reply_lease),
    (("consecutive_misses",), lambda conversation: {"misses": conversation.consecutive_misses}),
    (("translation",), _translation),
    (("recent_ids",), lambda conversation: {"recent_ids": [list(pair) for pair in conversation.recent_ids]}),
    (("history",), _history),
    (
        ("history", "operator"),
        lambda conversation: {"handled_by": sorted(_past_and_present_operators(conversation))},
    ),
    (("label_ids", "team_id", "operator", "visitor", "rating"), _facets),
    (("visitor",), lambda conversation: {"words": search_terms(conversation.visitor)}),
)
"""Attributes, and the function that computes the document's fields from them."""


def conversation_document(conversation: Conversation) -> Document:
    """The whole document, except `_id` and the outbox."""
    document = {name: getattr(conversation, name) for name in _PLAIN_FIELDS}
    for _, to_fields in _COMPUTED_FIELDS:
        document.update(to_fields(conversation))
    return document


def changed_fields(before: Conversation, after: Conversation) -> Document:
    """The document's fields that differ between two states of a conversation."""
    pairs = zip(Conversation.__slots__, _all_values(before), _all_values(after), strict=True)
    changed = {name for name, old, new in pairs if old is not new and old != new}
    document = {name: getattr(after, name) for name in _PLAIN_FIELDS if name in changed}
    for names, to_fields in _COMPUTED_FIELDS:
        if not changed.isdisjoint(names):
            document.update(to_fields(after))
    if "visitor" in changed and before.visitor.key == after.visitor.key:
        del document["visitor"], document["visitor_key"]
        document.update(_visitor_changes(before.visitor, after.visitor))
    return document


_all_values = attrgetter(*Conversation.__slots__)


def to_conversation(document: Document) -> Conversation:
    lease, last = document["answer_due"], document["last_message"]
    # Documents of earlier versions lack it until the visitor's next message.
    last_of_visitor = document.get("last_visitor_message")
    silence, pending_call = document.get("silence"), document.get("pending_call")
    return Conversation(
        id=document["_id"],
        tenant_id=document["tenant_id"],
        site_id=document["site_id"],
        visitor=to_visitor(document["visitor"]),
        mode=document["mode"],
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        generation=document["generation"],
        operator=to_operator_ref(document["operator"]),
        last_seq=document["last_seq"],
        last_message=LastMessage.model_validate(last) if last else None,
        last_visitor_message=LastMessage.model_validate(last_of_visitor) if last_of_visitor else None,
        unread_seqs=tuple(document["unread_seqs"]),
        operator_read_seq=document["operator_read_seq"],
        reads=tuple((OperatorRef(**read["operator"]), read["seq"]) for read in document.get("reads", ())),
        visitor_read_seq=document["visitor_read_seq"],
        waiting_since=document["waiting_since"],
        due_at=document["due_at"],
        reply_lease=ReplyLease(lease["seq"], lease["until"]) if lease else None,
        consecutive_misses=document["misses"],
        tokens=document.get("tokens", 0),
        usage=to_usage(document.get("usage")),
        team_id=document.get("team_id"),
        # Absent from documents of earlier versions.
        first_ai_message_at=document.get("first_ai_message_at"),
        first_operator_message_at=document.get("first_operator_message_at"),
        previous_id=document["previous_id"],
        translation=TranslationState(**known_fields(TranslationState, document["translation"])),
        rating=document["rating"],
        rating_comment=document["rating_comment"],
        rated_at=document["rated_at"],
        label_ids=tuple(document.get("labels", ())),
        snoozed_until=document.get("snoozed_until"),
        silence=VisitorSilence(**silence) if silence else None,
        pending_call=_to_pending_call(pending_call) if pending_call else None,
        recent_ids=tuple((message_id, seq) for message_id, seq in document["recent_ids"]),
        history=tuple(_to_history_entry(entry) for entry in document["history"]),
        version=document["version"],
    )
