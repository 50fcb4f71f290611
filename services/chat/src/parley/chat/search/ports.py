"""What searches need from storage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from parley.chat.paging.model import Position
from parley.chat.search.model import FoundConversation, FoundDocument, SearchScope, Source
from parley.chat.search.text import SearchText


class SearchRepository(Protocol):
    async def find(
        self, scope: SearchScope, query: SearchText, after: Position | None, limit: int
    ) -> Sequence[FoundDocument]:
        """The newest documents older than `after` that have the terms of a query, newest first.

        What of a query has to be adjacent is not verified.
        """

    async def read_sources(self, found: Sequence[FoundDocument]) -> Mapping[str, Source]:
        """The messages and notes of documents, by document id; those that are gone are left out."""

    async def read_conversations(self, ids: Iterable[int]) -> Mapping[int, FoundConversation]:
        """What hits show of their conversations, by id."""
