"""Wiring of the features that conversations consist of: conversations, messages, visitors, presence and the widget."""

from __future__ import annotations

from parley.chat.admin_module import AdminModule
from parley.chat.assignment.assigner import Assigner
from parley.chat.assignment.queue_places import QueuePlaces
from parley.chat.assignment.repository import MongoSlotsRepository, MongoWaitingConversations, MongoWaitRepository
from parley.chat.backends import Backends
from parley.chat.bulk_actions.changes import ConversationChanges
from parley.chat.bulk_actions.repository import MongoBulkActionRepository
from parley.chat.bulk_actions.service import BulkActionService
from parley.chat.conversations.label_removal import LabelRemoval
from parley.chat.conversations.lost_access import LostAccess
from parley.chat.conversations.operator_timeouts import OperatorTimeouts
from parley.chat.conversations.push_client import RpcReachableOperators
from parley.chat.conversations.queries import ConversationQueries
from parley.chat.conversations.query_repository import MongoConversationQueryRepository
from parley.chat.conversations.repository import MongoConversationRepository
from parley.chat.conversations.service import ConversationService
from parley.chat.conversations.snoozes import Snoozes
from parley.chat.conversations.visitor_silence import VisitorSilences
from parley.chat.forms.service import FormService
from parley.chat.identification.joining import SessionJoiner
from parley.chat.identification.late_writes import LateWrites
from parley.chat.identification.repository import MongoSessionContent
from parley.chat.identification.service import IdentificationService
from parley.chat.identification.session_ends import SessionEnds
from parley.chat.identification.tokens import TokenVerifier
from parley.chat.messages.operator_service import OperatorMessageService
from parley.chat.messages.repository import MongoMessageRepository
from parley.chat.messages.translation_client import RpcMessageTranslator
from parley.chat.messages.translations import MessageTranslations
from parley.chat.messages.visitor_conversations import VisitorConversations
from parley.chat.messages.visitor_service import VisitorMessageService
from parley.chat.mongo_ids import BlockIdGenerator, ConversationIdGenerator
from parley.chat.presence.push_reachability import PushReachability
from parley.chat.presence.repository import MongoOnlineOperatorRepository
from parley.chat.presence.service import PresenceService
from parley.chat.search.repository import MongoSearchRepository
from parley.chat.search.service import SearchService
from parley.chat.settings import ChatSettings
from parley.chat.transcripts.repository import MongoDailyLimits, MongoTranscriptRequests
from parley.chat.transcripts.service import TranscriptService
from parley.chat.triggers.delivery import TriggerDelivery
from parley.chat.views.repository import MongoViewRepository
from parley.chat.views.service import ViewService
from parley.chat.visitors.repository import MongoVisitorRepository
from parley.chat.visitors.service import VisitorService
from parley.chat.widget.service import WidgetService
from parley.common.auth.visitor_session import IdentifiedSessions
from parley.common.runtime.clock import Clock, utc_now


class ConversationModule:
    def __init__(self, backends: Backends, admin: AdminModule, settings: ChatSettings, clock: Clock = utc_now) -> None:
        mongo, publish_ephemeral = backends.mongo, backends.broker.publish_ephemeral
        self.conversation_repository = conversations = MongoConversationRepository(mongo, backends.outbox)
        self.message_repository = messages = MongoMessageRepository(mongo)
        visitors = MongoVisitorRepository(mongo, settings.silent_visitor_lifetime, clock)
        self.next_message_id = BlockIdGenerator(mongo, "message", block=1000).next
        next_note_id = BlockIdGenerator(mongo, "note").next

        reachable_operators = RpcReachableOperators(backends.rpc["notify"])
        self.presence = presence = PresenceService(
            MongoOnlineOperatorRepository(mongo),
            backends.rpc["presence"],
            PushReachability(admin.team_directory, reachable_operators),
        )
        self.conversations = ConversationService(
            conversations,
            admin.site_directory,
            admin.team_directory,
            admin.labels,
            admin.audit,
            publish_ephemeral,
            clock,
            next_note_id,
            admin.teams_repository,
        )
        self.queries = ConversationQueries(
            MongoConversationQueryRepository(mongo, clock),
            conversations,
            messages,
            admin.cached_sites,
            admin.team_directory,
            presence,
            reachable_operators,
            SearchService(MongoSearchRepository(mongo), admin.cached_sites),
        )
        self.session_ends = SessionEnds(admin.ended_sessions, visitors, clock)
        visitor_conversations = VisitorConversations(
            conversations, clock, ConversationIdGenerator(mongo).next, self.session_ends.find_person
        )
        self.operator_messages = OperatorMessageService(
            conversations,
            messages,
            visitors,
            visitor_conversations,
            admin.cached_sites,
            presence,
            admin.audit,
            RpcMessageTranslator(backends.rpc["translate"]),
            clock,
            self.next_message_id,
        )
        self.visitor_messages = VisitorMessageService(
            conversations,
            messages,
            visitors,
            visitor_conversations,
            admin.cached_sites,
            presence,
            publish_ephemeral,
            clock,
            self.next_message_id,
        )
        self.message_translations = MessageTranslations(conversations, messages)
        self.visitors = VisitorService(visitors, conversations, admin.cached_sites, admin.audit, clock)
        self.forms = FormService(
            admin.cached_sites, visitors, self.visitors, self.visitor_messages, admin.labels, clock
        )
        joiner = SessionJoiner(visitors, self.visitors, conversations, MongoSessionContent(mongo), clock)
        self.late_writes = LateWrites(self.session_ends, joiner)
        self.identification = IdentificationService(
            admin.site_directory,
            admin.site_repository,
            TokenVerifier(admin.identity_secret_cipher),
            visitors,
            self.visitors,
            conversations,
            joiner,
            self.session_ends,
            IdentifiedSessions(settings.identity_secret),
            clock,
        )
        self.triggers = TriggerDelivery(
            admin.cached_sites,
            visitors,
            conversations,
            presence,
            admin.triggers.shown,
            admin.triggers.previews,
            clock,
        )
        waiting, self.waits = MongoWaitingConversations(mongo), MongoWaitRepository(mongo)
        self.queue_places = QueuePlaces(waiting, self.waits, publish_ephemeral, clock)
        self.widget = WidgetService(
            self.visitors, conversations, messages, admin.cached_sites, presence, self.queue_places, clock
        )
        self.transcripts = TranscriptService(
            self.visitors,
            conversations,
            messages,
            admin.cached_sites,
            MongoTranscriptRequests(mongo, backends.outbox),
            MongoDailyLimits(mongo, clock),
            admin.audit,
            clock,
            settings.mail_is_on,
        )
        self.operator_timeouts = OperatorTimeouts(conversations, admin.site_directory, presence, clock)
        self.assigner = Assigner(
            conversations,
            waiting,
            MongoSlotsRepository(mongo),
            # Not cached: a change of the routing is acted on when its event arrives.
            admin.site_directory,
            admin.team_directory,
            admin.teams_repository,
            presence,
            clock,
        )
        self.snoozes = Snoozes(conversations, admin.site_directory, clock)
        self.visitor_silences = VisitorSilences(conversations, admin.site_directory, clock, self.next_message_id)
        self.label_removal = LabelRemoval(admin.label_repository, conversations, clock)
        next_view_id = BlockIdGenerator(mongo, "view").next
        self.views = ViewService(
            MongoViewRepository(mongo), self.queries, admin.audiences, admin.audit, next_view_id, clock
        )
        self.bulk_actions = BulkActionService(
            ConversationChanges(self.conversations),
            MongoBulkActionRepository(mongo),
            BlockIdGenerator(mongo, "bulk_action").next,
            clock,
        )
        self.lost_access = LostAccess(conversations, admin.team_directory, clock)
