"""The composition root of chat: creates every feature's services and adds them to one service."""

from __future__ import annotations

from aiohttp import web

from parley.chat.admin_module import AdminModule
from parley.chat.ai.module import AiModule
from parley.chat.answer_tests.module import AnswerTestModule
from parley.chat.assignment.timeouts import SWEEP_SECONDS
from parley.chat.backends import add_backends
from parley.chat.conversations.module import ConversationModule
from parley.chat.corrections.module import CorrectionModule
from parley.chat.files.handlers import FileHandlers
from parley.chat.files.module import build_file_service
from parley.chat.knowledge_gaps.module import KnowledgeGapModule
from parley.chat.knowledge_sources.module import KnowledgeSourceModule
from parley.chat.privacy.module import build_personal_data_service
from parley.chat.routes import build_routes
from parley.chat.search.module import SearchModule
from parley.chat.settings import ChatSettings
from parley.chat.site_texts.service import SiteTextService
from parley.chat.site_texts.translation_client import RpcTextTranslator
from parley.chat.subscriptions import add_subscriptions
from parley.chat.timeouts import (
    DELETED_SITE_CHECK_SECONDS,
    ERASURE_CHECK_SECONDS,
    EXPIRED_FILE_CHECK_SECONDS,
    LABEL_REMOVAL_CHECK_SECONDS,
    ORPHAN_CHECK_SECONDS,
    REPLY_TIMEOUT_CHECK_SECONDS,
    REPORT_CHECK_SECONDS,
    SEARCH_SEGMENT_CHECK_SECONDS,
    SILENT_VISITOR_CHECK_SECONDS,
    SNOOZE_CHECK_SECONDS,
    UNSENT_IMAGE_CHECK_SECONDS,
    VISITOR_SILENCE_CHECK_SECONDS,
)
from parley.chat.tools.module import ToolModule
from parley.chat.uploads.module import build_upload_handlers
from parley.chat.uploads.storage import create_object_storage
from parley.chat.uploads.storage_check import StorageCheck
from parley.common.auth.identity import IdentitySigner
from parley.common.http import build_app
from parley.common.mongodb import TRANSIENT_ERRORS, MongoIdempotencyStore
from parley.common.runtime.clock import utc_now
from parley.common.runtime.service import Service
from parley.common.runtime.service import main as run_service
from parley.common.runtime.settings import load_settings
from parley.common.runtime.tasks import PeriodicTask


def build(settings: ChatSettings) -> tuple[Service, web.Application]:
    """Create the service and its HTTP application, without starting them."""
    service = Service("chat", settings)
    backends = add_backends(service, settings)
    admin = service.add(AdminModule(backends.mongo, backends.outbox, settings))
    conversations = ConversationModule(backends, admin, settings)
    search = SearchModule(backends.mongo, admin.cached_sites)
    images = create_object_storage(settings)
    files = build_file_service(settings, images, backends.mongo)
    knowledge_sources = KnowledgeSourceModule(
        backends.mongo,
        settings,
        images,
        admin.site_service,
        admin.site_repository,
        admin.audit,
        admin.answer_test_gate.check_approval,
        admin.passage_vectors.increment_version,
    )
    tools = ToolModule(backends.mongo, settings, admin.site_service, admin.audit)
    service.add(tools.caller)
    uploads = build_upload_handlers(settings, images, backends.mongo, conversations.visitors, conversations.late_writes)
    sources = (admin.knowledge, knowledge_sources.passages)
    ai = AiModule(backends, admin, conversations, settings, sources, tools.sessions, uploads.uploads)
    answer_tests = AnswerTestModule(backends.mongo, admin, conversations, knowledge_sources, ai)
    gaps = KnowledgeGapModule(backends.mongo, admin, conversations, ai)
    corrections = CorrectionModule(backends.mongo, admin, conversations, knowledge_sources)
    personal_data = build_personal_data_service(settings, backends.mongo, backends.outbox, admin, images, backends.rpc)

    ai.add_to(service)
    knowledge_sources.add_to(service)
    answer_tests.add_to(service)
    gaps.add_to(service)
    service.add(
        PeriodicTask(REPLY_TIMEOUT_CHECK_SECONDS, conversations.operator_timeouts.return_overdue, "operator-timeouts")
    )
    service.add(PeriodicTask(SWEEP_SECONDS, conversations.assigner.assign_waiting_everywhere, "assignments"))
    service.add(PeriodicTask(ERASURE_CHECK_SECONDS, personal_data.finish_due, "erasures"))
    service.add(PeriodicTask(SILENT_VISITOR_CHECK_SECONDS, conversations.visitors.remove_silent, "silent-visitors"))
    service.add(PeriodicTask(SNOOZE_CHECK_SECONDS, conversations.snoozes.wake_due, "snoozes"))
    service.add(PeriodicTask(VISITOR_SILENCE_CHECK_SECONDS, conversations.visitor_silences.check_due, "silences"))
    service.add(PeriodicTask(LABEL_REMOVAL_CHECK_SECONDS, conversations.label_removal.remove_deleted, "label-removal"))
    service.add(PeriodicTask(ORPHAN_CHECK_SECONDS, admin.canned_replies.remove_orphaned, "orphaned-canned-replies"))
    service.add(PeriodicTask(ORPHAN_CHECK_SECONDS, admin.labels.remove_orphaned, "orphaned-labels"))
    service.add(PeriodicTask(ORPHAN_CHECK_SECONDS, conversations.lost_access.return_orphaned, "orphaned-conversations"))
    service.add(PeriodicTask(ORPHAN_CHECK_SECONDS, conversations.views.remove_orphaned, "orphaned-views"))
    service.add(PeriodicTask(REPORT_CHECK_SECONDS, admin.report_collector.build_due, "report-days"))
    service.add(
        PeriodicTask(
            DELETED_SITE_CHECK_SECONDS, admin.report_collector.remove_deleted_sites, "reports-of-deleted-sites"
        )
    )
    service.add(StorageCheck(images), optional=True)
    service.add(PeriodicTask(UNSENT_IMAGE_CHECK_SECONDS, uploads.uploads.remove_unsent, "unsent-images"))
    service.add(PeriodicTask(EXPIRED_FILE_CHECK_SECONDS, files.remove_expired, "expired-files"))
    file_handlers = FileHandlers(files, admin.cached_sites, conversations.visitors, conversations.late_writes)
    service.add(PeriodicTask(SEARCH_SEGMENT_CHECK_SECONDS, search.segments.build_due, "search-segments"))
    add_subscriptions(backends, admin, conversations, ai, search, answer_tests, gaps, corrections)

    site_texts = SiteTextService(admin.site_service, RpcTextTranslator(backends.rpc["translate"]), utc_now)
    app = build_app(
        build_routes(
            conversations,
            ai,
            personal_data,
            uploads,
            file_handlers,
            admin,
            search,
            knowledge_sources,
            tools,
            answer_tests,
            gaps.handlers,
            corrections.handlers,
            site_texts,
        ),
        signer=IdentitySigner(settings.identity_secret),
        transient_errors=TRANSIENT_ERRORS,
        idempotency=MongoIdempotencyStore(backends.mongo),
        unready_reasons=service.unready_reasons,
    )
    app.router.add_get("/uploads/{name}", uploads.deliver)
    app.router.add_get("/files/{file_id}/{filename}", file_handlers.deliver)
    return service, app


async def serve(settings: ChatSettings) -> None:
    """Run until SIGTERM or SIGINT."""
    service, app = build(settings)
    await service.run(app)


def main() -> None:
    settings = load_settings(ChatSettings)
    run_service("chat", settings, serve(settings))
