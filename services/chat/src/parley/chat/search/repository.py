"""Answers searches from the index: open documents by a multikey index, the others from the postings of segments.

A segment's postings are sets of bits, so that two words that each occur everywhere, but never together, cost as little
as rare ones. Segments are read newest first until the page is full.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter
from struct import unpack

from bson import Int64

from parley.chat.paging.model import Position
from parley.chat.search.index import DOCUMENTS, PAGES, SEGMENTS, page_id, to_page
from parley.chat.search.model import FoundConversation, FoundDocument, SearchScope, Source
from parley.chat.search.pages import Page
from parley.chat.search.postings import (
    SEGMENT_POSITIONS,
    iterate_downwards,
    kind_term,
    page_of,
    site_term,
)
from parley.chat.search.segments import POSITIONS_PER_TIME
from parley.chat.search.text import MAX_TERM_LENGTH, SearchText, Term, visitor_text
from parley.common.events.schemas import OperatorRef
from parley.common.mongodb import Document, Mongo

_FIRST_SEGMENTS = 4
"""Segments that are read at first; each time after that, four times as many."""
_MAX_SEGMENTS = 256
_LAST_LETTER = "\U0010ffff"
_ROW_FIELDS = dict.fromkeys(("kind", "source_id", "at", "conversation_id", "site_id"), 1)


class MongoSearchRepository:
    """Implements SearchRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def find(
        self, scope: SearchScope, query: SearchText, after: Position | None, limit: int
    ) -> Sequence[FoundDocument]:
        """Find the newest documents that have the terms of a query, at most `limit`."""
        if not scope.site_ids or not scope.kinds:
            return []
        # Open documents first: one that is no longer open by then is in a segment that is read afterwards.
        found = await self._find_open(scope, query, after, limit)
        found += await self._find_in_segments(scope, query, after, limit, found)
        by_id = {one.id: one for one in found}
        return sorted(by_id.values(), key=lambda one: one.sort_key, reverse=True)[:limit]

    async def _find_open(
        self, scope: SearchScope, query: SearchText, after: Position | None, limit: int
    ) -> list[FoundDocument]:
        conditions: list[Document] = [{"tenant_id": scope.tenant_id, "open": True, **_in_scope(scope)}]
        words = [{"terms": _condition(term)} for term in query.terms]
        numbers = [{"terms": _condition(Term(digits[:MAX_TERM_LENGTH], False))} for digits in query.numbers]
        conditions += [{"$or": [{"$and": words}, *numbers]}] if numbers else words
        if after is not None:
            at, last_id = _to_time(after), after[1]
            # The first condition limits the index, the second decides among equal times.
            conditions.append({"at": {"$lte": at}})
            conditions.append({"$or": [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": last_id}}]})
        rows = self._mongo[DOCUMENTS].find({"$and": conditions}, _ROW_FIELDS, hint="open_terms")
        return [_to_found(row) async for row in rows.sort([("at", -1), ("_id", -1)]).limit(limit)]

    async def _find_in_segments(
        self,
        scope: SearchScope,
        query: SearchText,
        after: Position | None,
        limit: int,
        found: Sequence[FoundDocument],
    ) -> list[FoundDocument]:
        conditions: Document = {"tenant_id": scope.tenant_id, "state": {"$in": ["ready", "sealed"]}}
        if after is not None:
            conditions["min_at"] = {"$lte": _to_time(after)}
        newest_first = self._mongo[SEGMENTS].find(conditions).sort("max_at", -1)
        segments = [segment async for segment in newest_first if not set(segment["sites"]).isdisjoint(scope.site_ids)]
        times = sorted((one.at for one in found), reverse=True)
        refs: list[int] = []
        certain = 0
        """How many of them are surely older than `after`."""
        oldest: datetime | None = None
        """Nothing that was found in the segments so far is older."""
        start, count = 0, _FIRST_SEGMENTS
        while start < len(segments):
            chunk = segments[start : start + count]
            start, count = start + count, min(4 * count, _MAX_SEGMENTS)
            pages = await self._read_pages(chunk, scope, query)
            for segment in chunk:
                enough = certain >= limit and oldest is not None and segment["max_at"] < oldest
                if enough or (len(times) >= limit and segment["max_at"] < times[limit - 1]):
                    return await self._read_rows(refs, after)
                in_segment, undecided = _matching_positions(segment, pages, scope, query, after, limit)
                first = segment["_id"] * SEGMENT_POSITIONS
                refs += [first + position for position in in_segment]
                certain += max(0, len(in_segment) - undecided)
                if in_segment:
                    oldest = segment["min_at"] if oldest is None else min(oldest, segment["min_at"])
        return await self._read_rows(refs, after)

    async def _read_pages(self, segments: Sequence[Document], scope: SearchScope, query: SearchText) -> dict[str, Page]:
        names = {page_of(term.text) for term in _all_terms(query)}
        ids = [page_id(segment["_id"], name) for segment in segments for name in names]
        for segment in segments:
            ids += [
                page_id(segment["_id"], term) for term in (*_site_filter(segment, scope), *_kind_filter(segment, scope))
            ]
        pages = self._mongo[PAGES].find({"_id": {"$in": ids}}, batch_size=len(ids) + 1)
        return {page["_id"]: to_page(page) async for page in pages}

    async def _read_rows(self, refs: Sequence[int], after: Position | None) -> list[FoundDocument]:
        if not refs:
            return []
        places = [Int64(ref) for ref in refs]
        rows = self._mongo[DOCUMENTS].find({"ref": {"$in": places}}, _ROW_FIELDS, batch_size=len(refs) + 1)
        found = [_to_found(row) async for row in rows]
        if after is None:
            return found
        last = _to_time(after), after[1]
        return [one for one in found if one.sort_key < last]

    async def read_sources(self, found: Sequence[FoundDocument]) -> dict[str, Source]:
        """Read the texts of messages and notes, by the id of their document; those that are gone are left out."""
        sources: dict[str, Source] = {}
        message_ids = {one.source_id: one.id for one in found if one.kind == "message"}
        if message_ids:
            fields = dict.fromkeys(("content", "translation", "seq", "role", "sender"), 1)
            async for row in self._mongo["messages"].find({"_id": {"$in": list(message_ids)}}, fields):
                translation = row.get("translation") or {}
                sources[message_ids[row["_id"]]] = Source(
                    row["content"], translation.get("content"), row["seq"], row["role"], _to_author(row["sender"])
                )
        note_ids = {one.source_id: one.id for one in found if one.kind == "note"}
        if note_ids:
            async for row in self._mongo["notes"].find({"_id": {"$in": list(note_ids)}}, {"content": 1, "author": 1}):
                sources[note_ids[row["_id"]]] = Source(row["content"], author=_to_author(row["author"]))
        return sources

    async def read_conversations(self, ids: Iterable[int]) -> dict[int, FoundConversation]:
        """Read what hits show of their conversations, by id."""
        fields = {"mode": 1, "visitor.name": 1, "visitor.email": 1, "visitor.phone": 1, "visitor.external_id": 1}
        rows = self._mongo["conversations"].find({"_id": {"$in": sorted(set(ids))}}, fields)
        found = {}
        async for row in rows:
            visitor = row["visitor"]
            shown = (visitor.get(field) for field in ("name", "email", "phone", "external_id"))
            text = visitor_text(*shown)
            found[row["_id"]] = FoundConversation(row["mode"], visitor.get("name"), text)
        return found


def _in_scope(scope: SearchScope) -> Document:
    return {"site_id": {"$in": list(scope.site_ids)}, "kind": {"$in": list(scope.kinds)}}


def _condition(term: Term) -> object:
    # A range compares faster than a regular expression.
    return term.text if term.exact else {"$elemMatch": {"$gte": term.text, "$lt": term.text + _LAST_LETTER}}


def _all_terms(query: SearchText) -> Iterator[Term]:
    yield from query.terms
    for digits in query.numbers:
        yield Term(digits[:MAX_TERM_LENGTH], False)


def _site_filter(segment: Document, scope: SearchScope) -> list[str]:
    """The terms of the sites to search in; none if the segment has no others."""
    if set(segment["sites"]) <= set(scope.site_ids):
        return []
    return [site_term(site_id) for site_id in segment["sites"] if site_id in scope.site_ids]


def _kind_filter(segment: Document, scope: SearchScope) -> list[str]:
    if set(segment["kinds"]) <= set(scope.kinds):
        return []
    return [kind_term(kind) for kind in scope.kinds]


def _matching_positions(
    segment: Document,
    pages: dict[str, Page],
    scope: SearchScope,
    query: SearchText,
    after: Position | None,
    limit: int,
) -> tuple[list[int], int]:
    """The highest positions at which a segment has the terms, at most `limit` that are surely older than `after`.

    Returns as well how many others may be among them.
    """
    number = segment["_id"]
    bits = _bits_of_all(pages, number, query.terms)
    for digits in query.numbers:
        bits |= _bits_of_all(pages, number, [Term(digits[:MAX_TERM_LENGTH], False)])
    for filter_terms in (_site_filter(segment, scope), _kind_filter(segment, scope)):
        if filter_terms and bits:
            allowed = 0
            for text in filter_terms:
                allowed |= _bits_of_all(pages, number, [Term(text)])
            bits &= allowed
    undecided = 0
    if after is not None and bits:
        bits, undecided = _cut(bits, segment, after)
    return list(islice(iterate_downwards(bits), limit + undecided)), undecided


def _cut(bits: int, segment: Document, after: Position) -> tuple[int, int]:
    """Remove the positions that are surely not older than `after`. Returns how many of the others may not be."""
    data: bytes = segment["times"]
    times = unpack(f"<{len(data) // 8}q", data)
    end = bisect_right(times, after[0]) * POSITIONS_PER_TIME
    end = min(SEGMENT_POSITIONS, end)
    bits &= (1 << end) - 1
    # Of the last part some may be newer, and of equal times the ids decide.
    start = bisect_right(times, after[0] - 1) * POSITIONS_PER_TIME
    return bits, (bits >> max(0, start - POSITIONS_PER_TIME)).bit_count()


def _bits_of_all(pages: dict[str, Page], segment: int, terms: Sequence[Term]) -> int:
    """The positions that have all of these terms, as bits."""
    found = []
    for term in terms:
        page = pages.get(page_id(segment, page_of(term.text)))
        if page is None:
            return 0
        span = page.find(term)
        found.append((page.size(span), page, span))
    # The rare ones first: they often leave nothing to compare the others with.
    bits = -1
    for _, page, span in sorted(found, key=itemgetter(0)):
        bits &= page.bits(span)
        if not bits:
            break
    return bits


def _to_found(row: Document) -> FoundDocument:
    return FoundDocument(row["_id"], row["kind"], row["source_id"], row["at"], row["conversation_id"], row["site_id"])


def _to_author(person: Document | None) -> OperatorRef | None:
    return None if person is None else OperatorRef(id=person["id"], name=person["name"])


def _to_time(position: Position) -> datetime:
    return datetime.fromtimestamp(position[0] / 1000, UTC)
