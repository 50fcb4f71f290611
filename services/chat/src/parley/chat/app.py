"""The composition root of chat: the one place that sees every other and puts them together."""

from __future__ import annotations

from aiohttp import web

from parley.chat.admin import Administration
from parley.chat.clients.builtin_engine import BuiltinEngine
from parley.chat.clients.images import Images
from parley.chat.clients.storage import FolderStorage, S3Storage, Storage
from parley.chat.clients.translator import AskTranslator
from parley.chat.consumers import Consumers
from parley.chat.domain.answers import Answers
from parley.chat.domain.conversations import Conversations
from parley.chat.domain.lists import Lists
from parley.chat.domain.messages import Messages
from parley.chat.domain.ports import Engine
from parley.chat.domain.silence import Silence
from parley.chat.domain.uploads import Uploads
from parley.chat.domain.visitors import Visitors
from parley.chat.handlers.conversations import ConversationHandlers
from parley.chat.handlers.lists import ListHandlers
from parley.chat.handlers.uploads import UploadHandlers
from parley.chat.handlers.visitors import VisitorHandlers
from parley.chat.handlers.widget import WidgetHandlers
from parley.chat.routes import list_routes, operator_routes, widget_routes
from parley.chat.settings import ChatSettings
from parley.chat.store import conversations as conversation_store
from parley.chat.store import lists as list_store
from parley.chat.store import messages as message_store
from parley.chat.store import spending as spending_store
from parley.chat.store import visitors as visitor_store
from parley.chat.store import whereabouts as whereabouts_store
from parley.chat.store.conversations import MongoConversations
from parley.chat.store.lists import MongoLists
from parley.chat.store.messages import MongoMessages
from parley.chat.store.spending import MongoSpending
from parley.chat.store.uploads import MongoUploads
from parley.chat.store.visitors import MongoVisitors
from parley.chat.store.whereabouts import MongoWhereabouts
from parley.common.amqp import AnswerQuestions, Ask, Bus, Consumer
from parley.common.clock import utc_now
from parley.common.identity import IdentitySigner
from parley.common.mongo import OUTAGES, IdBlocks, Index, Mongo, MongoIdempotency, Outbox
from parley.common.service import Service
from parley.common.service import main as run_service
from parley.common.settings import load
from parley.common.tasks import Every, TaskGroup
from parley.common.web import build_app

OUTBOX_COLLECTIONS = ("conversations", *Administration.outbox_collections)


def indexes() -> list[Index]:
    """Every index that chat's queries walk."""
    return [
        *conversation_store.INDEXES,
        *list_store.INDEXES,
        *message_store.INDEXES,
        *visitor_store.INDEXES,
        *whereabouts_store.INDEXES,
        *spending_store.INDEXES,
        *MongoIdempotency.indexes,
        *Administration.indexes,
        *Outbox.indexes_of(OUTBOX_COLLECTIONS),
    ]


def build(settings: ChatSettings) -> tuple[Service, web.Application]:
    """Chat, put together but not started."""
    service = Service("chat", settings)
    mongo = service.add(Mongo(settings.mongodb_uri, f"{settings.database_prefix}_chat", indexes()))
    bus = Bus(settings.amqp_url)
    outbox = Outbox(mongo, bus, OUTBOX_COLLECTIONS)
    service.add(bus)
    service.add(outbox)

    administration = Administration(mongo, outbox, settings)
    service.add(administration)
    ask_presence = Ask("presence")
    ask_translate = Ask("translate")
    bus.add(ask_presence)
    bus.add(ask_translate)
    conversations = MongoConversations(mongo, outbox)
    messages = MongoMessages(mongo)
    whereabouts = MongoWhereabouts(mongo, ask_presence)
    visitors = MongoVisitors(mongo)
    next_message_id = IdBlocks(mongo, "message").next

    uploads = Uploads(Images(), _storage(settings), MongoUploads(mongo, utc_now), settings.image_base)
    speaking = Messages(
        conversations,
        messages,
        visitors,
        administration.sites,
        whereabouts,
        administration.audit,
        bus.whisper,
        AskTranslator(ask_translate),
        utc_now,
        IdBlocks(mongo, "conversation").next,
        next_message_id,
    )
    desk = Conversations(
        conversations,
        administration.sites,
        administration.team,
        administration.audit,
        bus.whisper,
        utc_now,
        IdBlocks(mongo, "note").next,
    )
    people = Visitors(conversations, visitors, administration.audit, utc_now)
    lists = Lists(MongoLists(mongo), conversations, messages, administration.sites, administration.team, whereabouts)
    answering = service.add(TaskGroup("answers"))
    engines = _engines(settings)
    answers = Answers(
        conversations,
        messages,
        administration.sites,
        administration.knowledge,
        engines,
        MongoSpending(mongo, utc_now, settings.ai_daily_tokens),
        whereabouts,
        utc_now,
        next_message_id,
        answering,
    )
    silence = Silence(conversations, administration.sites, utc_now)
    service.add(Every(1.0, silence.end_overdue, "operator-silence"))
    service.add(Every(2.0, answers.take_over_lapsed, "lapsed-answers"))

    consumers = Consumers(conversations, messages, whereabouts, utc_now)
    bus.add(Consumer("chat", "facts", consumers.handlers()))
    bus.add(AnswerQuestions("chat", {**consumers.questions(), **administration.questions()}))

    upload_handlers = UploadHandlers(uploads, speaking)
    app = build_app(
        [
            *operator_routes(
                ConversationHandlers(desk, speaking, lists, uploads), VisitorHandlers(people), upload_handlers
            ),
            *list_routes(ListHandlers(lists, desk)),
            *widget_routes(WidgetHandlers(speaking, answers, people, uploads, whereabouts), upload_handlers),
            *administration.routes(),
        ],
        signer=IdentitySigner(settings.identity_secret),
        outages=OUTAGES,
        idempotency=MongoIdempotency(mongo),
        ready=service.faults,
    )
    app.router.add_get("/uploads/{name}", upload_handlers.show)
    return service, app


def _engines(settings: ChatSettings) -> dict[str, Engine]:
    engines: dict[str, Engine] = {"builtin": BuiltinEngine()}
    if settings.openai_api_key is not None:
        # Imported only where it is used: the client is large, and most of a small installation's memory would be it.
        from parley.chat.clients.openai_engine import OpenAiEngine  # noqa: PLC0415

        engines["openai"] = OpenAiEngine(
            base_url=settings.openai_url,
            api_key=settings.openai_api_key.get_secret_value(),
            model=settings.openai_model,
            temperature=settings.openai_temperature,
            timeout=settings.openai_seconds,
            most_tokens=settings.openai_answer_tokens,
        )
    return engines


def _storage(settings: ChatSettings) -> Storage:
    if settings.s3_endpoint and settings.s3_access_key and settings.s3_secret_key:
        return S3Storage(
            settings.s3_endpoint,
            settings.s3_access_key,
            settings.s3_secret_key.get_secret_value(),
            settings.s3_bucket,
            secure=settings.s3_secure,
        )
    return FolderStorage(settings.storage_dir)


def main() -> None:
    """Run chat until it is told to stop."""
    settings = load(ChatSettings)
    service, app = build(settings)
    run_service("chat", settings, service.run(app))
