"""The composition root of chat: the one place that sees every other and puts them together."""

from __future__ import annotations

from aiohttp import web

from parley.chat.admin_module import Administration
from parley.chat.ai.engine_pool import SiteEngines
from parley.chat.ai.reply_service import Answers
from parley.chat.ai.usage import MongoSpending
from parley.chat.clients.presence import MongoWhereabouts
from parley.chat.clients.translate import AskTranslator
from parley.chat.consumers import Consumers
from parley.chat.conversations.handlers import ConversationHandlers
from parley.chat.conversations.operator_timeouts import Silence
from parley.chat.conversations.queries import Lists
from parley.chat.conversations.query_handlers import ListHandlers
from parley.chat.conversations.query_repository import MongoLists
from parley.chat.conversations.repository import MongoConversations
from parley.chat.conversations.service import Conversations
from parley.chat.messages.repository import MongoMessages
from parley.chat.messages.service import Messages
from parley.chat.mongo_schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.chat.privacy.handlers import PersonalDataHandlers
from parley.chat.privacy.module import personal_data_of, storage_of
from parley.chat.privacy.routes import personal_data_routes
from parley.chat.routes import list_routes, operator_routes, widget_routes
from parley.chat.settings import ChatSettings
from parley.chat.sites.cached_sites import SiteMemory
from parley.chat.uploads.handlers import UploadHandlers
from parley.chat.uploads.image_sanitizer import Images
from parley.chat.uploads.repository import MongoUploads
from parley.chat.uploads.service import Uploads
from parley.chat.visitors.handlers import VisitorHandlers
from parley.chat.visitors.repository import MongoVisitors
from parley.chat.visitors.service import Visitors
from parley.chat.widget.handlers import WidgetHandlers
from parley.common.auth.identity import IdentitySigner
from parley.common.events import Event
from parley.common.http import build_app
from parley.common.messaging import AnswerQuestions, Ask, Bus, Consumer, Listener
from parley.common.messaging.topology import EVENTS
from parley.common.mongodb import OUTAGES, IdBlocks, Mongo, MongoIdempotency, Outbox
from parley.common.runtime.clock import utc_now
from parley.common.runtime.service import Service
from parley.common.runtime.service import main as run_service
from parley.common.runtime.settings import load
from parley.common.runtime.tasks import Every, TaskGroup


def build(settings: ChatSettings) -> tuple[Service, web.Application]:
    """Chat, put together but not started."""
    service = Service("chat", settings)
    mongo = service.add(Mongo(settings.mongodb_uri, f"{settings.database_prefix}_chat", SCHEMA, settings.schema_mode))
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
    ask_notify = Ask("notify")
    bus.add(ask_notify)
    conversations = MongoConversations(mongo, outbox)
    messages = MongoMessages(mongo)
    whereabouts = MongoWhereabouts(mongo, ask_presence)
    visitors = MongoVisitors(mongo)
    next_message_id = IdBlocks(mongo, "message", block=1000).next

    storage = storage_of(settings)
    uploads = Uploads(Images(), storage, MongoUploads(mongo, utc_now), settings.image_base)
    speaking = Messages(
        conversations,
        messages,
        visitors,
        administration.site_memory,
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
    lists = Lists(
        MongoLists(mongo), conversations, messages, administration.site_memory, administration.team, whereabouts
    )
    asks = {"presence": ask_presence, "translate": ask_translate, "notify": ask_notify}
    bus.add(Listener("erasures", EVENTS, ("*.*.visitor.erased",), conversations.erased))
    personal_data = personal_data_of(settings, mongo, outbox, administration, asks)
    engines = service.add(SiteEngines(settings, administration.site_keys, administration.addresses))
    bus.add(_site_changes(engines, administration.site_memory))
    answering = service.add(TaskGroup("answers"))
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
    service.add(Every(5.0, personal_data.finish_due, "erasures"))

    consumers = Consumers(conversations, messages, whereabouts, utc_now)
    bus.add(Consumer("chat", "facts", consumers.handlers()), after=mongo.prepared)
    bus.add(AnswerQuestions("chat", {**consumers.questions(), **administration.questions()}), after=mongo.prepared)

    upload_handlers = UploadHandlers(uploads, speaking)
    app = build_app(
        [
            *operator_routes(
                ConversationHandlers(desk, speaking, lists, uploads), VisitorHandlers(people), upload_handlers
            ),
            *list_routes(ListHandlers(lists, desk)),
            *personal_data_routes(PersonalDataHandlers(personal_data)),
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


def _site_changes(engines: SiteEngines, memory: SiteMemory) -> Listener:
    async def changed(event: Event) -> None:
        await engines.changed(event)
        memory.forget(event.site_id)

    def missed() -> None:
        engines.forget()
        memory.forget_all()

    listener = Listener("sites", EVENTS, ("*.*.site.changed",), changed, missed)
    memory.hearing = lambda: listener.running
    return listener


async def serve(settings: ChatSettings) -> None:
    """Serve until told to stop."""
    service, app = build(settings)
    await service.run(app)


def main() -> None:
    """Run chat until it is told to stop."""
    settings = load(ChatSettings)
    run_service("chat", settings, serve(settings))
