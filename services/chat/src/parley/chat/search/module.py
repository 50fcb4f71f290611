"""Wiring of the search: its index, what feeds it, and the service."""

from __future__ import annotations

from parley.chat.mongo_ids import BlockIdGenerator
from parley.chat.search.feed import SearchFeed
from parley.chat.search.index import SearchIndex
from parley.chat.search.repository import MongoSearchRepository
from parley.chat.search.segments import SegmentBuilder
from parley.chat.search.service import SearchService
from parley.chat.sites.site_settings import SiteSettingsReader
from parley.common.mongodb import Mongo
from parley.common.runtime.clock import Clock, utc_now


class SearchModule:
    def __init__(self, mongo: Mongo, sites: SiteSettingsReader, clock: Clock = utc_now) -> None:
        self.index = SearchIndex(mongo)
        self.feed = SearchFeed(mongo, self.index, clock)
        self.segments = SegmentBuilder(
            mongo, self.index, BlockIdGenerator(mongo, "search_segment", block=1).next, clock
        )
        self.searches = SearchService(MongoSearchRepository(mongo), sites)
