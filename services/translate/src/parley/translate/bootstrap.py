"""Composition root of translate: creates every component and connects them."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from parley.common.auth.identity import IdentitySigner
from parley.common.http import build_app
from parley.common.messaging import BroadcastSubscriber, BrokerConnection, RpcClient
from parley.common.messaging.topology import EVENTS_EXCHANGE
from parley.common.mongodb import TRANSIENT_ERRORS, Mongo, MongoIdempotencyStore, Outbox
from parley.common.runtime.service import Service
from parley.common.runtime.service import main as run_service
from parley.common.runtime.settings import load_settings
from parley.common.runtime.tasks import BackgroundTasks, PeriodicTask
from parley.translate import consumers
from parley.translate.clients.conversations import RpcConversations
from parley.translate.clients.recent_messages import RpcRecentMessages
from parley.translate.clients.site_options import CachedSiteOptions
from parley.translate.conversations.repository import MongoConversationRepository
from parley.translate.conversations.service import ConversationService
from parley.translate.engines.chain import EngineChain
from parley.translate.engines.quota_repository import MongoCharacterQuotaRepository
from parley.translate.engines.registry import create_engine
from parley.translate.languages.fasttext_detector import FastTextDetector
from parley.translate.messages.backlog import Backlog
from parley.translate.messages.repository import MongoProcessedMessageRepository
from parley.translate.messages.service import MessageTranslationService
from parley.translate.mongo_schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.translate.preferences.handlers import PreferenceHandlers
from parley.translate.preferences.repository import MongoPreferenceRepository
from parley.translate.preferences.service import PreferenceService
from parley.translate.privacy.service import PrivacyService
from parley.translate.routes import build_routes
from parley.translate.settings import TranslateSettings
from parley.translate.site_options import SiteOptions
from parley.translate.timeouts import ENGINE_REFRESH_INTERVAL_SECONDS
from parley.translate.translations.cache import TranslationCache
from parley.translate.translations.repository import MongoTranslationRepository
from parley.translate.translations.service import TranslationService
from parley.translate.translations.translator import Translator

_NAME = "translate"


def build(settings: TranslateSettings) -> tuple[Service, web.Application]:
    """Create the service and its HTTP application, without starting them."""
    service = Service(_NAME, settings)
    database = f"{settings.database_prefix}_{_NAME}"
    mongo = service.add(Mongo(settings.mongodb_uri, database, SCHEMA, settings.schema_mode))
    broker = BrokerConnection(settings.amqp_url, log_partitions=settings.log_partitions)
    outbox = service.add(Outbox(mongo, broker, OUTBOX_COLLECTIONS))
    chat = RpcClient("chat")
    sites = service.add(CachedSiteOptions(chat, _default_options(settings), lambda: site_events.running))
    site_events = BroadcastSubscriber("sites", EVENTS_EXCHANGE, ("*.*.site.changed",), sites.on_event, sites.on_gap)

    engines = service.add(_build_engines(settings, mongo))
    stored_translations = MongoTranslationRepository(mongo, timedelta(days=settings.translate_cache_days))
    cache = TranslationCache(stored_translations, settings.translate_cache_bytes)
    tasks = service.add(BackgroundTasks("translator"))
    translations = _build_translations(settings, Translator(engines, cache, sites), tasks)

    stored_conversations = MongoConversationRepository(mongo)
    conversations = ConversationService(stored_conversations, RpcConversations(chat))
    stored_preferences = MongoPreferenceRepository(mongo, outbox)
    preferences = PreferenceService(stored_preferences, conversations, engines)
    processed = MongoProcessedMessageRepository(mongo, outbox)
    messages = MessageTranslationService(
        preferences, translations, processed, FastTextDetector(), chat_wait_seconds=settings.translate_answer_seconds
    )
    backlog = Backlog(RpcRecentMessages(chat), messages, preferences)
    privacy = PrivacyService(stored_preferences, stored_translations, (stored_conversations, processed))

    broker.add(chat)
    broker.add(site_events)
    broker.add(consumers.erasure_subscriber(cache))
    broker.add(consumers.conversation_consumer(conversations, privacy), start_condition=mongo.schema_ready)
    broker.add(consumers.message_consumer(messages, settings.translate_at_once), start_condition=mongo.schema_ready)
    broker.add(consumers.backlog_consumer(backlog), start_condition=mongo.schema_ready)
    broker.add(consumers.rpc_methods(messages, privacy), start_condition=mongo.schema_ready)
    service.add(broker, optional=True)
    service.add(PeriodicTask(ENGINE_REFRESH_INTERVAL_SECONDS, engines.refresh, "languages"))
    return service, build_app(
        build_routes(PreferenceHandlers(preferences, backlog, messages)),
        signer=IdentitySigner(settings.identity_secret),
        transient_errors=TRANSIENT_ERRORS,
        idempotency=MongoIdempotencyStore(mongo),
        unready_reasons=service.unready_reasons,
    )


def _build_engines(settings: TranslateSettings, mongo: Mongo) -> EngineChain:
    return EngineChain(
        [create_engine(name, settings) for name in settings.engine_names],
        MongoCharacterQuotaRepository(mongo),
        call_timeout_seconds=settings.translate_call_seconds,
    )


def _build_translations(
    settings: TranslateSettings, translator: Translator, tasks: BackgroundTasks
) -> TranslationService:
    return TranslationService(
        translator,
        tasks,
        timeout_seconds=settings.translate_seconds,
        max_text_length=settings.translate_longest,
        # Twice the conversations of the message consumer: the rest is for texts that chat waits for.
        max_concurrency=settings.translate_at_once * 2,
    )


def _default_options(settings: TranslateSettings) -> SiteOptions:
    return SiteOptions(settings.engine_names, tuple(settings.translate_glossary), settings.translate_daily_characters)


async def serve(settings: TranslateSettings) -> None:
    """Run the service until a signal stops it."""
    service, app = build(settings)
    await service.run(app)


def main() -> None:
    """Entry point of the command `parley-translate`."""
    settings = load_settings(TranslateSettings)
    run_service(_NAME, settings, serve(settings))
