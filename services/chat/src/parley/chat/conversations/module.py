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
        self._backends, self._admin, self._settings, self._clock = backends, admin, settings, clock
        mongo = backends.mongo
        self.conversation_repository = MongoConversationRepository(mongo, backends.outbox)
        self.message_repository = MongoMessageRepository(mongo)
        self._visitor_repository = MongoVisitorRepository(mongo, settings.silent_visitor_lifetime, clock)
        self._waiting, self.waits = MongoWaitingConversations(mongo), MongoWaitRepository(mongo)
        self.next_message_id = BlockIdGenerator(mongo, "message", block=1000).next
        self._reachable_operators = RpcReachableOperators(backends.rpc["notify"])
        self.presence = PresenceService(
            MongoOnlineOperatorRepository(mongo),
            backends.rpc["presence"],
            PushReachability(admin.team_directory, self._reachable_operators),
        )
        self.queue_places = QueuePlaces(self._waiting, self.waits, backends.broker.publish_ephemeral, clock)
        self.session_ends = SessionEnds(admin.ended_sessions, self._visitor_repository, clock)
        self._visitor_conversations = VisitorConversations(
            self.conversation_repository, clock, ConversationIdGenerator(mongo).next, self.session_ends.find_person
        )
        self.message_translations = MessageTranslations(self.conversation_repository, self.message_repository)
        # Each uses only what those above it have built.
        self._build_services_of_operators()
        self._build_lists()
        self._build_services_of_visitors()
        self._build_identification()
        self._build_transcripts()
        self._build_background_work()

    def _build_services_of_operators(self) -> None:
        admin, backends, clock = self._admin, self._backends, self._clock
        self.conversations = ConversationService(
            self.conversation_repository,
            admin.site_directory,
            admin.team_directory,
            admin.labels,
            admin.audit,
            backends.broker.publish_ephemeral,
            clock,
            BlockIdGenerator(backends.mongo, "note").next,
            admin.teams_repository,
        )
        self.operator_messages = OperatorMessageService(
            self.conversation_repository,
            self.message_repository,
            self._visitor_repository,
            self._visitor_conversations,
            admin.cached_sites,
            self.presence,
            admin.audit,
            RpcMessageTranslator(backends.rpc["translate"]),
            clock,
            self.next_message_id,
        )
        self.bulk_actions = BulkActionService(
            ConversationChanges(self.conversations),
            MongoBulkActionRepository(backends.mongo),
            BlockIdGenerator(backends.mongo, "bulk_action").next,
            clock,
        )

    def _build_lists(self) -> None:
        admin, mongo, clock = self._admin, self._backends.mongo, self._clock
        self.queries = ConversationQueries(
            MongoConversationQueryRepository(mongo, clock),
            self.conversation_repository,
            self.message_repository,
            admin.cached_sites,
            admin.team_directory,
            self.presence,
            self._reachable_operators,
            SearchService(MongoSearchRepository(mongo), admin.cached_sites),
        )
        next_view_id = BlockIdGenerator(mongo, "view").next
        self.views = ViewService(
            MongoViewRepository(mongo), self.queries, admin.audiences, admin.audit, next_view_id, clock
        )

    def _build_services_of_visitors(self) -> None:
        admin, clock = self._admin, self._clock
        self.visitor_messages = VisitorMessageService(
            self.conversation_repository,
            self.message_repository,
            self._visitor_repository,
            self._visitor_conversations,
            admin.cached_sites,
            self.presence,
            self._backends.broker.publish_ephemeral,
            clock,
            self.next_message_id,
        )
        self.visitors = VisitorService(
            self._visitor_repository, self.conversation_repository, admin.cached_sites, admin.audit, clock
        )
        self.forms = FormService(
            admin.cached_sites, self._visitor_repository, self.visitors, self.visitor_messages, admin.labels, clock
        )
        self.triggers = TriggerDelivery(
            admin.cached_sites,
            self._visitor_repository,
            self.conversation_repository,
            self.presence,
            admin.triggers.shown,
            admin.triggers.previews,
            clock,
        )
        self.widget = WidgetService(
            self.visitors,
            self.conversation_repository,
            self.message_repository,
            admin.cached_sites,
            self.presence,
            self.queue_places,
            clock,
        )

    def _build_identification(self) -> None:
        admin, conversations, clock = self._admin, self.conversation_repository, self._clock
        joiner = SessionJoiner(
            self._visitor_repository, self.visitors, conversations, MongoSessionContent(self._backends.mongo), clock
        )
        self.late_writes = LateWrites(self.session_ends, joiner)
        self.identification = IdentificationService(
            admin.site_directory,
            admin.site_repository,
            TokenVerifier(admin.identity_secret_cipher),
            self._visitor_repository,
            self.visitors,
            conversations,
            joiner,
            self.session_ends,
            IdentifiedSessions(self._settings.identity_secret),
            clock,
        )

    def _build_transcripts(self) -> None:
        mongo, clock = self._backends.mongo, self._clock
        self.transcripts = TranscriptService(
            self.visitors,
            self.conversation_repository,
            self.message_repository,
            self._admin.cached_sites,
            MongoTranscriptRequests(mongo, self._backends.outbox),
            MongoDailyLimits(mongo, clock),
            self._admin.audit,
            clock,
            self._settings.mail_is_on,
        )

    def _build_background_work(self) -> None:
        admin, conversations, clock = self._admin, self.conversation_repository, self._clock
        self.operator_timeouts = OperatorTimeouts(conversations, admin.site_directory, self.presence, clock)
        self.assigner = Assigner(
            conversations,
            self._waiting,
            MongoSlotsRepository(self._backends.mongo),
            # Not cached: a change of the routing is acted on when its event arrives.
            admin.site_directory,
            admin.team_directory,
            admin.teams_repository,
            self.presence,
            clock,
        )
        self.snoozes = Snoozes(conversations, admin.site_directory, clock)
        self.visitor_silences = VisitorSilences(conversations, admin.site_directory, clock, self.next_message_id)
        self.label_removal = LabelRemoval(admin.label_repository, conversations, clock)
        self.lost_access = LostAccess(conversations, admin.team_directory, clock)
