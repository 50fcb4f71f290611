"""The features of chat, each created from those that it uses."""

from __future__ import annotations

from parley.chat.admin_module import AdminModule
from parley.chat.ai.module import AiModule
from parley.chat.answer_tests.module import AnswerTestModule
from parley.chat.backends import Backends
from parley.chat.conversations.module import ConversationModule
from parley.chat.corrections.module import CorrectionModule
from parley.chat.files.handlers import FileHandlers
from parley.chat.files.module import build_file_service
from parley.chat.knowledge_gaps.module import KnowledgeGapModule
from parley.chat.knowledge_sources.module import KnowledgeSourceModule
from parley.chat.privacy.module import build_personal_data_service
from parley.chat.search.module import SearchModule
from parley.chat.settings import ChatSettings
from parley.chat.site_texts.service import SiteTextService
from parley.chat.site_texts.translation_client import RpcTextTranslator
from parley.chat.tools.module import ToolModule
from parley.chat.uploads.module import build_upload_handlers
from parley.chat.uploads.storage import create_object_storage
from parley.chat.uploads.storage_check import StorageCheck
from parley.common.runtime.clock import utc_now
from parley.common.runtime.service import Service


class Features:
    def __init__(self, backends: Backends, settings: ChatSettings) -> None:
        mongo = backends.mongo
        self.admin = admin = AdminModule(mongo, backends.outbox, settings)
        self.conversations = conversations = ConversationModule(backends, admin, settings)
        self.search = SearchModule(mongo, admin.cached_sites)
        storage = create_object_storage(settings)
        self.storage_check = StorageCheck(storage)
        self.files = build_file_service(settings, storage, mongo)
        self.file_handlers = FileHandlers(
            self.files, admin.cached_sites, conversations.visitors, conversations.late_writes
        )
        self.uploads = build_upload_handlers(
            settings, storage, mongo, conversations.visitors, conversations.late_writes
        )
        self.knowledge_sources = KnowledgeSourceModule(
            mongo,
            settings,
            storage,
            admin.site_service,
            admin.site_repository,
            admin.audit,
            admin.answer_test_gate.check_approval,
            admin.passage_vectors.increment_version,
        )
        self.tools = ToolModule(mongo, settings, admin.site_service, admin.audit)
        passages = (admin.knowledge, self.knowledge_sources.passages)
        self.ai = AiModule(
            backends, admin, conversations, settings, passages, self.tools.sessions, self.uploads.uploads
        )
        self.answer_tests = AnswerTestModule(mongo, admin, conversations, self.knowledge_sources, self.ai)
        self.gaps = KnowledgeGapModule(mongo, admin, conversations, self.ai)
        self.corrections = CorrectionModule(mongo, admin, conversations, self.knowledge_sources)
        self.personal_data = build_personal_data_service(settings, mongo, backends.outbox, admin, storage, backends.rpc)
        self.site_texts = SiteTextService(admin.site_service, RpcTextTranslator(backends.rpc["translate"]), utc_now)

    def add_to(self, service: Service) -> None:
        """Add what has a life cycle; a service starts its components in this order."""
        service.add(self.admin)
        service.add(self.tools.caller)
        self.ai.add_to(service)
        self.knowledge_sources.add_to(service)
        self.answer_tests.add_to(service)
        self.gaps.add_to(service)
        service.add(self.storage_check, optional=True)
