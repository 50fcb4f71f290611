"""Wiring of knowledge sources."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from parley.chat.accounts.ports import SiteLookup
from parley.chat.audit.service import AuditService
from parley.chat.knowledge_sources.document_repository import MongoDocumentRepository
from parley.chat.knowledge_sources.extraction.extractor import WorkerExtractor
from parley.chat.knowledge_sources.http_fetcher import HttpFetcher
from parley.chat.knowledge_sources.page_reader import PageReader
from parley.chat.knowledge_sources.passages import SourcePassages
from parley.chat.knowledge_sources.ports import ApprovalCheck, ObjectStore, OnChanged
from parley.chat.knowledge_sources.repository import MongoSourceRepository
from parley.chat.knowledge_sources.robots import PRODUCT
from parley.chat.knowledge_sources.server_turns import MongoServerTurns
from parley.chat.knowledge_sources.service import SourceService
from parley.chat.knowledge_sources.sync import SourceSync
from parley.chat.mongo_ids import BlockIdGenerator
from parley.chat.settings import ChatSettings
from parley.chat.sites.service import SiteService
from parley.chat.timeouts import CRAWL_PAUSE, DELETED_SOURCE_CHECK_SECONDS, SOURCE_SYNC_CHECK_SECONDS
from parley.common.http.ssrf_guard import SsrfGuard
from parley.common.mongodb import Mongo
from parley.common.runtime.clock import Clock, utc_now
from parley.common.runtime.service import Service
from parley.common.runtime.tasks import PeriodicTask

_CONCURRENT_SYNCS = 3
"""Of one replica. A sync mostly waits: for a website, and for the pause between two requests to it."""


async def _ignore(_site_id: int) -> None:
    """For processes without retrieval."""


class KnowledgeSourceModule:
    """Creates what sources need. Nothing runs before `add_to`."""

    def __init__(
        self,
        mongo: Mongo,
        settings: ChatSettings,
        objects: ObjectStore,
        sites: SiteService,
        site_lookup: SiteLookup,
        audit: AuditService,
        check_approval: ApprovalCheck,
        on_changed: OnChanged = _ignore,
        clock: Clock = utc_now,
        pause: timedelta = CRAWL_PAUSE,
    ) -> None:
        self.sources = sources = MongoSourceRepository(mongo, clock)
        self.documents = documents = MongoDocumentRepository(mongo, BlockIdGenerator(mongo, "knowledge_document").next)
        self.passages = SourcePassages(sources, documents)
        self.passages_with_changes = SourcePassages(sources, documents, with_changes=True)
        guard = SsrfGuard(settings.knowledge_private_hosts)
        self.web = HttpFetcher(guard, MongoServerTurns(mongo), build_user_agent(settings.public_url))
        self.extractor = WorkerExtractor()
        next_id = BlockIdGenerator(mongo, "knowledge_source").next
        self.service = SourceService(
            sources, documents, objects, sites, site_lookup, audit, next_id, clock, on_changed, check_approval
        )
        reader = PageReader(self.web, self.extractor, objects)
        self.sync = SourceSync(sources, documents, reader, self.web, clock, on_changed, pause)

    def add_to(self, service: Service) -> None:
        """Carry out the syncs in this process, together with the other replicas."""
        service.add(self.web)
        service.add(self.extractor)
        for _ in range(_CONCURRENT_SYNCS):
            service.add(PeriodicTask(SOURCE_SYNC_CHECK_SECONDS, self.sync.run_due, "knowledge-syncs"))
        remove = self.service.remove_deleted
        service.add(PeriodicTask(DELETED_SOURCE_CHECK_SECONDS, remove, "deleted-knowledge-sources"))


def build_user_agent(public_url: str) -> str:
    """Name Parley and the installation, so that owners of websites know who reads them."""
    return f"Mozilla/5.0 (compatible; {PRODUCT}/1.0; +https://{urlsplit(public_url).netloc or 'localhost'})"
