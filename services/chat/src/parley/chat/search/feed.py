"""What feeds the search index: the outbox with everything that is written, and the collections for what was before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime

from pymongo.asynchronous.database import AsyncDatabase

from parley.chat import metrics
from parley.chat.search.index import DOCUMENTS, SearchIndex
from parley.chat.search.model import SearchDocument
from parley.chat.search.text import message_terms, visitor_terms
from parley.common.events.conversations import ConversationCreated, ConversationJoined, VisitorBlocked, VisitorUpdated
from parley.common.events.envelope import parse_event
from parley.common.mongodb import Document, Mongo
from parley.common.runtime.clock import Clock

_VISITOR_EVENTS: Mapping[str, type[ConversationCreated | ConversationJoined | VisitorUpdated | VisitorBlocked]] = {
    "conversation.created": ConversationCreated,
    "conversation.joined": ConversationJoined,
    "visitor.updated": VisitorUpdated,
    "visitor.blocked": VisitorBlocked,
}
_CARRIED_EVENTS = frozenset({"message.created", "note.created"})
_MESSAGE_FIELDS = ("tenant_id", "site_id", "conversation_id", "role", "content", "translation", "created_at")
_NOTE_FIELDS = ("tenant_id", "site_id", "conversation_id", "content", "created_at")
_CONVERSATION_FIELDS = ("tenant_id", "site_id", "visitor", "version", "created_at")
FIELDS: Mapping[str, Mapping[str, int]] = {
    "messages": dict.fromkeys(_MESSAGE_FIELDS, 1),
    "notes": dict.fromkeys(_NOTE_FIELDS, 1),
    "conversations": dict.fromkeys(_CONVERSATION_FIELDS, 1),
}
"""What the index needs of the documents of each collection."""
_BATCH = 500


class SearchFeed:
    """Indexes what the outbox publishes, once its inserts are done. Called again, it changes nothing."""

    def __init__(self, mongo: Mongo, index: SearchIndex, clock: Clock) -> None:
        self._mongo = mongo
        self._index = index
        self._clock = clock

    def wants(self, entry: Document) -> bool:
        """Whether an outbox entry changes what is found."""
        event_type = entry["event"]["type"]
        return event_type in _CARRIED_EVENTS or event_type in _VISITOR_EVENTS

    async def process(self, entries: Sequence[Document]) -> None:
        """Index the messages, notes and visitors of outbox entries. Raises what pymongo raises."""
        documents: list[SearchDocument] = []
        gone: list[str] = []
        written: list[datetime] = []
        for entry in entries:
            for insert in entry.get("carried", ()):
                inserted = to_documents(insert["into"], [insert["document"]]) if insert["into"] in FIELDS else []
                documents += inserted
                written += [document.at for document in inserted]
            if entry["event"]["type"] in _VISITOR_EVENTS:
                visitor = _visitor_of_event(entry["event"])
                if visitor.terms:
                    documents.append(visitor)
                elif entry["event"]["type"] != "conversation.created":
                    gone.append(visitor.id)
        # Of a visitor who changed twice, the last one.
        await self._index.put(list({document.id: document for document in documents}.values()))
        if gone:
            await self._index.remove(gone)
        now = self._clock()
        for at in written:
            metrics.SEARCH_LAG_SECONDS.observe(max(0.0, (now - at).total_seconds()))

    async def index_translation(self, conversation_id: int, seq: int) -> None:
        """Index a message again, with the translation that it got."""
        row = await self._mongo["messages"].find_one({"conversation_id": conversation_id, "seq": seq})
        if row is not None:
            await self._index.put(to_documents("messages", [row]))

    async def rebuild(self) -> AsyncIterator[int]:
        """Index everything that is stored, and remove what is not. Yields how many documents were read so far."""
        done = 0
        for collection in FIELDS:
            last: object = None
            while True:
                after = {} if last is None else {"_id": {"$gt": last}}
                rows = self._mongo[collection].find(after, FIELDS[collection]).sort("_id", 1).limit(_BATCH)
                batch = await rows.to_list()
                if not batch:
                    break
                last = batch[-1]["_id"]
                await self._index.put(to_documents(collection, batch))
                done += len(batch)
                yield done
        await self._remove_orphans()
        await remove_deleted_sites(self._mongo, self._index)

    async def _remove_orphans(self) -> None:
        """Remove documents whose message, note or conversation does not exist."""
        sources = {"message": "messages", "note": "notes", "visitor": "conversations"}
        last = ""
        while True:
            rows = self._mongo[DOCUMENTS].find({"_id": {"$gt": last}}, {"kind": 1, "source_id": 1})
            batch = await rows.sort("_id", 1).limit(_BATCH).to_list()
            if not batch:
                return
            last = batch[-1]["_id"]
            for kind, collection in sources.items():
                ids = {row["source_id"]: row["_id"] for row in batch if row["kind"] == kind}
                existing = self._mongo[collection].find({"_id": {"$in": list(ids)}}, {"_id": 1})
                existing_ids = {row["_id"] async for row in existing}
                if orphans := [document_id for source_id, document_id in ids.items() if source_id not in existing_ids]:
                    await self._index.remove(orphans)


async def remove_deleted_sites(mongo: Mongo | AsyncDatabase[Document], index: SearchIndex) -> None:
    """Remove what belongs to deleted sites: their conversations are kept, but nobody sees them."""
    async for site in mongo["sites"].find({"deleted": True}, {"tenant_id": 1}):
        await index.remove_site(site["tenant_id"], site["_id"])


def to_documents(collection: str, rows: Iterable[Document]) -> list[SearchDocument]:
    """What the index has of stored messages, notes or conversations; nothing of those without text."""
    convert = {"messages": _message, "notes": _note, "conversations": _visitor}[collection]
    return [document for row in rows if (document := convert(row)).terms]


def _message(row: Document) -> SearchDocument:
    translation = (row.get("translation") or {}).get("content")
    # What the system says is the same in every conversation.
    terms = [] if row["role"] == "system" else message_terms(row["content"], translation)
    return SearchDocument(
        "message",
        row["_id"],
        row["tenant_id"],
        row["site_id"],
        row["conversation_id"],
        row["created_at"],
        terms,
        1 if translation else 0,
    )


def _note(row: Document) -> SearchDocument:
    return SearchDocument(
        "note",
        row["_id"],
        row["tenant_id"],
        row["site_id"],
        row["conversation_id"],
        row["created_at"],
        message_terms(row["content"]),
    )


def _visitor(row: Document) -> SearchDocument:
    visitor = row["visitor"]
    fields = (visitor.get(name) or "" for name in ("name", "email", "phone", "external_id"))
    terms = visitor_terms(*fields)
    return SearchDocument(
        "visitor", row["_id"], row["tenant_id"], row["site_id"], row["_id"], row["created_at"], terms, row["version"]
    )


def _visitor_of_event(document: Document) -> SearchDocument:
    event = parse_event(document)
    conversation = event.parse_data(_VISITOR_EVENTS[event.type]).conversation
    assert conversation is not None, "the events of a conversation carry it"
    visitor = conversation.visitor
    return SearchDocument(
        "visitor",
        conversation.id,
        event.tenant_id,
        event.site_id,
        conversation.id,
        conversation.created_at,
        visitor_terms(visitor.name or "", visitor.email or "", visitor.phone or "", visitor.external_id or ""),
        conversation.version,
    )
