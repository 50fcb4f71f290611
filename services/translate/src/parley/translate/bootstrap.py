"""The composition root: the only file that sees every other."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from parley.common.auth.identity import IdentitySigner
from parley.common.http import build_app
from parley.common.messaging import Ask, Bus, Listener
from parley.common.messaging.topology import EVENTS
from parley.common.mongodb import OUTAGES, Mongo, MongoIdempotency, Outbox
from parley.common.runtime.service import Service
from parley.common.runtime.service import main as run_service
from parley.common.runtime.settings import load
from parley.common.runtime.tasks import Every
from parley.translate.clients.chat import AskedChat, AskedSites
from parley.translate.consumers import answers, conversation_consumer, forget_near, message_consumer
from parley.translate.conversations.repository import MongoConversations
from parley.translate.conversations.service import Conversations
from parley.translate.engines.chain import Engine, Engines, SiteOptions
from parley.translate.engines.character_quota import MongoBudget
from parley.translate.languages.fasttext_detector import FastTextDetector
from parley.translate.messages.service import MessageUse
from parley.translate.mongo_schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.translate.preferences.handlers import PreferenceHandlers
from parley.translate.preferences.repository import MongoPreferences
from parley.translate.preferences.service import PreferenceUse
from parley.translate.privacy import PersonalData
from parley.translate.routes import routes
from parley.translate.settings import TranslateSettings
from parley.translate.translations.cache import Cache
from parley.translate.translations.repository import MongoCache, MongoDeliveries
from parley.translate.translations.translator import Translator

_NAME = "translate"
_LANGUAGES_SECONDS = 30.0


def build(settings: TranslateSettings) -> tuple[Service, web.Application]:
    """Translation, put together but not started."""
    service = Service(_NAME, settings)
    database = f"{settings.database_prefix}_{_NAME}"
    mongo = service.add(Mongo(settings.mongodb_uri, database, SCHEMA, settings.schema_mode))
    bus = Bus(settings.amqp_url)
    outbox = service.add(Outbox(mongo, bus, OUTBOX_COLLECTIONS))
    ask = Ask("chat")
    sites = AskedSites(ask, _defaults(settings))
    engines = service.add(_engines(settings, mongo))
    stored = MongoCache(mongo, timedelta(days=settings.translate_cache_days))
    cache = Cache(stored, settings.translate_cache_bytes)
    translator = service.add(_translator(settings, engines, cache, sites))
    known, preferences = MongoConversations(mongo), MongoPreferences(mongo, outbox)
    conversations = Conversations(known, AskedChat(ask))
    preference_use = PreferenceUse(preferences, conversations, engines)
    deliveries = MongoDeliveries(mongo, outbox)
    messages = MessageUse(
        preference_use,
        translator,
        deliveries,
        FastTextDetector(),
        answer_seconds=settings.translate_answer_seconds,
    )
    bus.add(ask)
    bus.add(Listener("sites", EVENTS, ("*.*.site.changed",), sites.changed, sites.forget))
    bus.add(Listener("erasures", EVENTS, ("*.*.visitor.erased",), forget_near(cache), cache.forget_near))
    personal_data = PersonalData(preferences, stored, (known, deliveries))
    for session in (
        conversation_consumer(conversations, personal_data),
        message_consumer(messages, settings.translate_at_once),
        answers(messages, personal_data),
    ):
        bus.add(session, after=mongo.prepared)
    service.add(bus)
    service.add(Every(_LANGUAGES_SECONDS, engines.refresh, "languages"))
    return service, build_app(
        routes(PreferenceHandlers(preference_use)),
        signer=IdentitySigner(settings.identity_secret),
        outages=OUTAGES,
        idempotency=MongoIdempotency(mongo),
        ready=service.faults,
    )


async def run(settings: TranslateSettings) -> None:
    """Serve until told to stop."""
    service, app = build(settings)
    await service.run(app)


def _engines(settings: TranslateSettings, mongo: Mongo) -> Engines:
    made = [make_engine(name, settings) for name in settings.engines_in_order]
    return Engines(made, MongoBudget(mongo), call_seconds=settings.translate_call_seconds)


def _translator(settings: TranslateSettings, engines: Engines, cache: Cache, sites: AskedSites) -> Translator:
    return Translator(
        engines,
        cache,
        sites,
        seconds=settings.translate_seconds,
        longest=settings.translate_longest,
        at_once=settings.translate_at_once * 2,
    )


def _defaults(settings: TranslateSettings) -> SiteOptions:
    return SiteOptions(
        settings.engines_in_order, tuple(settings.translate_glossary), settings.translate_daily_characters
    )


def make_engine(name: str, settings: TranslateSettings) -> Engine:
    """An engine by its name. Its library is loaded only where it is used: each takes its time and its memory."""
    # ruff: noqa: PLC0415 - see above
    match name:
        case "google":
            from parley.translate.engines.google import GoogleEngine, GoogleOptions

            assert settings.google_project is not None, "settings check it"
            return GoogleEngine(
                GoogleOptions(
                    project=settings.google_project,
                    location=settings.google_location,
                    endpoint=settings.google_endpoint,
                    glossary=settings.google_glossary,
                    model=settings.google_model,
                    plaintext=settings.google_plaintext,
                    seconds=settings.translate_call_seconds,
                )
            )
        case "libretranslate":
            from parley.translate.engines.libretranslate import LibreTranslateEngine

            assert settings.libretranslate_url is not None, "settings check it"
            return LibreTranslateEngine(
                settings.libretranslate_url,
                settings.libretranslate_api_key,
                seconds=settings.translate_call_seconds,
            )
        case _:
            from parley.translate.engines.local import LocalEngine

            return LocalEngine()


def main() -> None:
    """The command `parley-translate`."""
    settings = load(TranslateSettings)
    run_service(_NAME, settings, run(settings))
