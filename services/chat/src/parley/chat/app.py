"""The composition root of chat: the one place that sees every other and puts them together."""

from __future__ import annotations

from aiohttp import web

from parley.chat.admin import Administration
from parley.chat.clients.engines import SiteEngines
from parley.chat.clients.images import Images
from parley.chat.clients.translator import AskTranslator
from parley.chat.consumers import Consumers
from parley.chat.domain.answers import Answers
from parley.chat.domain.conversations import Conversations
from parley.chat.domain.lists import Lists
from parley.chat.domain.messages import Messages
from parley.chat.domain.silence import Silence
from parley.chat.domain.site_memory import SiteMemory
from parley.chat.domain.uploads import Uploads
from parley.chat.domain.visitors import Visitors
from parley.chat.handlers.conversations import ConversationHandlers
from parley.chat.handlers.lists import ListHandlers
from parley.chat.handlers.personal_data import PersonalDataHandlers
from parley.chat.handlers.uploads import UploadHandlers
from parley.chat.handlers.visitors import VisitorHandlers
from parley.chat.handlers.widget import WidgetHandlers
from parley.chat.personal_data import personal_data_of, storage_of
from parley.chat.personal_data_routes import personal_data_routes
from parley.chat.routes import list_routes, operator_routes, widget_routes
from parley.chat.settings import ChatSettings
from parley.chat.store.conversations import MongoConversations
from parley.chat.store.lists import MongoLists
from parley.chat.store.messages import MongoMessages
from parley.chat.store.schema import OUTBOX_COLLECTIONS, SCHEMA
from parley.chat.store.spending import MongoSpending
from parley.chat.store.uploads import MongoUploads
from parley.chat.store.visitors import MongoVisitors
from parley.chat.store.whereabouts import MongoWhereabouts
from parley.common.amqp import AnswerQuestions, Ask, Bus, Consumer, Listener
from parley.common.amqp.topology import EVENTS
from parley.common.clock import utc_now
from parley.common.events import Event
from parley.common.identity import IdentitySigner
from parley.common.mongo import OUTAGES, IdBlocks, Mongo, MongoIdempotency, Outbox
from parley.common.service import Service
from parley.common.service import main as run_service
from parley.common.settings import load
from parley.common.tasks import Every, TaskGroup
from parley.common.web import build_app


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
