"""Between documents and the domain's dataclasses."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from parley.chat.conversations.model import (
    AnswerDue,
    Conversation,
    HistoryEntry,
    Message,
    Note,
    Translation,
    Visitor,
)
from parley.common.events.schemas import LastMessage, MessageTranslation, Person
from parley.common.mongodb import Document

NOT_WAITING = datetime(9999, 1, 1, tzinfo=UTC)
"""Stands for «nobody waits» where the queue is sorted: behind everybody who does."""

_WORD = re.compile(r"[\w.+@-]{2,}")
_WORDS = 40


def person_document(person: Person | None) -> Document | None:
    return None if person is None else {"id": person.id, "name": person.name}


def _person(document: Document | None) -> Person | None:
    return None if document is None else Person(id=document["id"], name=document["name"])


def visitor_document(visitor: Visitor) -> Document:
    return {
        "tenant_id": visitor.tenant_id,
        "site_id": visitor.site_id,
        "session": visitor.session,
        "name": visitor.name,
        "email": visitor.email,
        "phone": visitor.phone,
        "info": dict(visitor.info),
        "language": visitor.language,
        "blocked": visitor.blocked,
        "blocked_at": visitor.blocked_at,
        "lead_at": visitor.lead_at,
        "version": visitor.version,
    }


def visitor_of(document: Document) -> Visitor:
    return Visitor(
        tenant_id=document["tenant_id"],
        site_id=document["site_id"],
        session=document["session"],
        name=document.get("name"),
        email=document.get("email"),
        phone=document.get("phone"),
        info=document.get("info") or {},
        language=document.get("language"),
        blocked=document.get("blocked"),
        blocked_at=document.get("blocked_at"),
        lead_at=document.get("lead_at"),
        version=document.get("version", 0),
    )


def words_of(conversation: Conversation) -> list[str]:
    """What a search finds a conversation by: the visitor's name, addresses and handle, and the newest message."""
    visitor = conversation.visitor
    preview = conversation.last_message.preview if conversation.last_message else ""
    text = " ".join(filter(None, (visitor.name, visitor.email, visitor.phone, visitor.session, preview)))
    return list(dict.fromkeys(_WORD.findall(text.casefold())))[:_WORDS]


def _handlers_of(conversation: Conversation) -> set[int]:
    """The operators who have held it, the present one among them."""
    held = [entry.to or entry.by for entry in conversation.history if entry.action in ("accepted", "transferred")]
    return {person.id for person in (*held, conversation.operator) if person is not None}


def _last_message(conversation: Conversation) -> Document:
    last = conversation.last_message
    return {"last_message": last.model_dump() if last else None}


def _answer_due(conversation: Conversation) -> Document:
    due = conversation.answer_due
    return {"answer_due": {"seq": due.seq, "until": due.until} if due else None}


def _reads(conversation: Conversation) -> Document:
    return {"reads": [{"operator": person_document(person), "seq": seq} for person, seq in conversation.reads]}


def _translation(conversation: Conversation) -> Document:
    told = conversation.translation
    return {
        "translation": {
            "enabled": told.enabled,
            "lang": told.lang,
            "operator_lang": told.operator_lang,
            "supported": told.supported,
            "version": told.version,
        }
    }


def _history(conversation: Conversation) -> Document:
    return {
        "history": [
            {"at": entry.at, "action": entry.action, "by": person_document(entry.by), "to": person_document(entry.to)}
            for entry in conversation.history
        ]
    }


def _visitor(conversation: Conversation) -> Document:
    return {"visitor_key": conversation.visitor.key, "visitor": visitor_document(conversation.visitor)}


def _waiting(conversation: Conversation) -> Document:
    return {"waiting_since": conversation.waiting_since, "queue_at": conversation.waiting_since or NOT_WAITING}


_AS_THEY_ARE = (
    "tenant_id",
    "site_id",
    "generation",
    "last_seq",
    "operator_read_seq",
    "visitor_read_seq",
    "due_at",
    "misses",
    "tokens",
    "previous_id",
    "rating",
    "rating_comment",
    "rated_at",
    "created_at",
    "updated_at",
    "version",
)
_MADE_OF: tuple[tuple[tuple[str, ...], Callable[[Conversation], Document]], ...] = (
    (("visitor",), _visitor),
    (("mode",), lambda conversation: {"mode": conversation.mode, "open": conversation.open}),
    (("operator",), lambda conversation: {"operator": person_document(conversation.operator)}),
    (("last_message",), _last_message),
    (("unread_seqs",), lambda conversation: {"unread_seqs": list(conversation.unread_seqs)}),
    (("reads",), _reads),
    (("waiting_since",), _waiting),
    (("answer_due",), _answer_due),
    (("translation",), _translation),
    (("recent_ids",), lambda conversation: {"recent_ids": [list(pair) for pair in conversation.recent_ids]}),
    (("history",), _history),
    (("history", "operator"), lambda conversation: {"handled_by": sorted(_handlers_of(conversation))}),
    (("visitor", "last_message"), lambda conversation: {"words": words_of(conversation)}),
)
"""Fields of a conversation's document, and what of the conversation they are made of."""


def conversation_document(conversation: Conversation) -> Document:
    """Everything but the id, the outbox and what only the store knows."""
    document = {name: getattr(conversation, name) for name in _AS_THEY_ARE}
    for _, made in _MADE_OF:
        document.update(made(conversation))
    return document


def changed_fields(before: Conversation, after: Conversation) -> Document:
    """Those fields of the document that a change has changed."""
    changed = {name for name in Conversation.__slots__ if _differs(getattr(before, name), getattr(after, name))}
    document = {name: getattr(after, name) for name in _AS_THEY_ARE if name in changed}
    for names, made in _MADE_OF:
        if not changed.isdisjoint(names):
            document.update(made(after))
    return document


def _differs(before: object, after: object) -> bool:
    return before is not after and before != after


def conversation_of(document: Document) -> Conversation:
    due, last, translation = document["answer_due"], document["last_message"], document["translation"]
    return Conversation(
        id=document["_id"],
        tenant_id=document["tenant_id"],
        site_id=document["site_id"],
        visitor=visitor_of(document["visitor"]),
        mode=document["mode"],
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        generation=document["generation"],
        operator=_person(document["operator"]),
        last_seq=document["last_seq"],
        last_message=LastMessage.model_validate(last) if last else None,
        unread_seqs=tuple(document["unread_seqs"]),
        operator_read_seq=document["operator_read_seq"],
        reads=tuple((Person(**read["operator"]), read["seq"]) for read in document.get("reads", ())),
        visitor_read_seq=document["visitor_read_seq"],
        waiting_since=document["waiting_since"],
        due_at=document["due_at"],
        answer_due=AnswerDue(due["seq"], due["until"]) if due else None,
        misses=document["misses"],
        tokens=document.get("tokens", 0),
        previous_id=document["previous_id"],
        translation=Translation(**translation),
        rating=document["rating"],
        rating_comment=document["rating_comment"],
        rated_at=document["rated_at"],
        recent_ids=tuple((known, seq) for known, seq in document["recent_ids"]),
        history=tuple(
            HistoryEntry(entry["at"], entry["action"], _person(entry["by"]), _person(entry["to"]))
            for entry in document["history"]
        ),
        version=document["version"],
    )


def message_document(message: Message) -> Document:
    return {
        "_id": message.id,
        "tenant_id": message.tenant_id,
        "site_id": message.site_id,
        "conversation_id": message.conversation_id,
        "visitor_key": f"{message.site_id}:{message.session}",
        "session": message.session,
        "seq": message.seq,
        "role": message.role,
        "content": message.content,
        "image_url": message.image_url,
        "sender": person_document(message.sender),
        "message_id": message.message_id,
        "reply_to": message.reply_to,
        "proactive": message.proactive,
        "translation": message.translation.model_dump() if message.translation else None,
        "created_at": message.created_at,
    }


def message_of(document: Document) -> Message:
    translation: Any = document.get("translation")
    return Message(
        id=document["_id"],
        tenant_id=document["tenant_id"],
        site_id=document["site_id"],
        conversation_id=document["conversation_id"],
        session=document["session"],
        seq=document["seq"],
        role=document["role"],
        content=document["content"],
        created_at=document["created_at"],
        image_url=document["image_url"],
        sender=_person(document["sender"]),
        message_id=document["message_id"],
        reply_to=document["reply_to"],
        proactive=document["proactive"],
        translation=MessageTranslation.model_validate(translation) if translation else None,
    )


def note_document(note: Note) -> Document:
    return {
        "_id": note.id,
        "tenant_id": note.tenant_id,
        "site_id": note.site_id,
        "conversation_id": note.conversation_id,
        "content": note.content,
        "author": person_document(note.author),
        "created_at": note.created_at,
    }


def note_of(document: Document) -> Note:
    author = _person(document["author"])
    assert author is not None, "every note has an author"
    return Note(
        id=document["_id"],
        tenant_id=document["tenant_id"],
        site_id=document["site_id"],
        conversation_id=document["conversation_id"],
        content=document["content"],
        author=author,
        created_at=document["created_at"],
    )
