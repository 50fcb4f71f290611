"""The endpoint of the search."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.paging.schemas import decode_position, encode_position
from parley.chat.search.schemas import SearchQuery, SearchResponse, to_hits
from parley.chat.search.service import SearchService
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class SearchHandlers:
    searches: SearchService

    async def search(self, context: RequestContext[OperatorCaller, None, SearchQuery]) -> SearchResponse:
        query = context.query
        after = decode_position(query.cursor, str)
        page = await self.searches.search(context.caller, query.q, query.site_id, query.kinds, after, query.limit)
        return SearchResponse(hits=to_hits(page.rows), next_cursor=encode_position(page.next_position))
