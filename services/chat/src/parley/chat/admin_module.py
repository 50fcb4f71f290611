"""Wiring of the features for accounts and administration, shared by the service, the command line and the tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from parley.chat.accounts import routes as account_routes
from parley.chat.accounts.access import AccessResolver
from parley.chat.accounts.argon2_hasher import Argon2PasswordHasher
from parley.chat.accounts.first_owner import FirstOwnerTask
from parley.chat.accounts.handlers import AccountHandlers
from parley.chat.accounts.login_throttling import LoginThrottle
from parley.chat.accounts.login_throttling_repository import MongoKnownOriginRepository, MongoLoginFailureRepository
from parley.chat.accounts.repository import MongoOperatorRepository, MongoTenantRepository
from parley.chat.accounts.service import AccountService
from parley.chat.ai.site_ai_settings import AiSettingsService
from parley.chat.ai.site_keys import SiteKeyCipher
from parley.chat.answer_tests.gate import AnswerTestGate
from parley.chat.answer_tests.repository import MongoAnswerTestRepository
from parley.chat.answer_tests.run_repository import MongoTestRunRepository
from parley.chat.answer_tests.run_service import TestRunService
from parley.chat.api_keys import routes as api_key_routes
from parley.chat.api_keys.handlers import ApiKeyHandlers
from parley.chat.api_keys.repository import MongoApiKeyRepository
from parley.chat.api_keys.service import ApiKeyService
from parley.chat.assignment import routes as routing_routes
from parley.chat.assignment.handlers import RoutingHandlers
from parley.chat.assignment.routing_service import RoutingService
from parley.chat.audiences import Audiences
from parley.chat.audit import routes as audit_routes
from parley.chat.audit.handlers import AuditHandlers
from parley.chat.audit.repository import MongoAuditRepository
from parley.chat.audit.service import AuditService
from parley.chat.canned_replies.repository import MongoCannedReplyRepository
from parley.chat.canned_replies.service import CannedReplyService
from parley.chat.forms import routes as form_routes
from parley.chat.forms.handlers import FormSettingsHandlers
from parley.chat.forms.settings_service import FormSettingsService
from parley.chat.identification import routes as identification_routes
from parley.chat.identification.handlers import IdentitySecretHandlers
from parley.chat.identification.repository import MongoEndedSessions
from parley.chat.identification.secrets_service import IdentitySecretService
from parley.chat.ids import NextId
from parley.chat.internal_api import routes as internal_api_routes
from parley.chat.internal_api.handlers import InternalApiHandlers
from parley.chat.invitations.service import InvitationService
from parley.chat.knowledge import routes as knowledge_routes
from parley.chat.knowledge.handlers import KnowledgeHandlers
from parley.chat.knowledge.repository import MongoKnowledgeRepository
from parley.chat.knowledge.service import KnowledgeService
from parley.chat.labels import routes as label_routes
from parley.chat.labels.handlers import LabelHandlers
from parley.chat.labels.repository import MongoLabelRepository
from parley.chat.labels.service import LabelService
from parley.chat.mongo_ids import BlockIdGenerator
from parley.chat.reports import routes as report_routes
from parley.chat.reports.collector import ReportCollector
from parley.chat.reports.handlers import ReportHandlers
from parley.chat.reports.repository import MongoReportRepository
from parley.chat.reports.service import ReportService
from parley.chat.retrieval.repository import MongoVectorRepository
from parley.chat.sessions.repository import MongoSessionRepository
from parley.chat.sessions.service import SessionService
from parley.chat.settings import ChatSettings
from parley.chat.sites import routes as site_routes
from parley.chat.sites.cached_sites import CachedSites
from parley.chat.sites.chatbot_handlers import ChatbotHandlers
from parley.chat.sites.directory import SiteDirectory
from parley.chat.sites.handlers import SiteHandlers
from parley.chat.sites.repository import MongoSiteRepository
from parley.chat.sites.service import SiteService
from parley.chat.team import routes as team_routes
from parley.chat.team.directory import TeamDirectory
from parley.chat.team.handlers import TeamHandlers
from parley.chat.team.repository import MongoTeamRepository
from parley.chat.team.service import TeamService
from parley.chat.teams import routes as teams_routes
from parley.chat.teams.handlers import TeamsHandlers
from parley.chat.teams.repository import MongoTeamsRepository
from parley.chat.teams.service import TeamsService
from parley.chat.triggers import routes as trigger_routes
from parley.chat.triggers.handlers import TriggerHandlers
from parley.chat.triggers.module import TriggerModule
from parley.common.http import Route
from parley.common.http.ssrf_guard import SsrfGuard
from parley.common.mongodb import Mongo, Outbox
from parley.common.runtime.clock import Clock, utc_now


class AdminModule:
    """A component of the service. Ready once the first owner that the settings name exists."""

    name = "administration"

    def __init__(self, mongo: Mongo, outbox: Outbox, settings: ChatSettings, clock: Clock = utc_now) -> None:
        self._mongo, self._outbox, self._settings, self._clock = mongo, outbox, settings, clock
        self._public_url = settings.public_url.rstrip("/")
        self.audit = AuditService(MongoAuditRepository(mongo), self._new_ids("audit"), clock)
        self._build_shared_repositories()
        # Each uses only what those above it have built.
        self._build_accounts()
        self._build_team()
        self._build_site_lookups()
        self._build_site_settings()
        self._build_site_features()
        self._build_operator_tools()
        self._build_reports()

    def _new_ids(self, sequence: str) -> NextId:
        return BlockIdGenerator(self._mongo, sequence).next

    def _build_shared_repositories(self) -> None:
        self._operators = MongoOperatorRepository(self._mongo, self._outbox)
        self._tenants = MongoTenantRepository(self._mongo)
        self._next_operator_id = self._new_ids("operator")
        self.site_repository = MongoSiteRepository(self._mongo, self._outbox)
        self.teams_repository = MongoTeamsRepository(self._mongo, self._outbox)

    def _build_accounts(self) -> None:
        """Accounts, login sessions, API keys and invitations."""
        mongo, outbox, audit, clock = self._mongo, self._outbox, self.audit, self._clock
        operators, tenants = self._operators, self._tenants
        self._passwords = passwords = Argon2PasswordHasher()
        access = AccessResolver(self.site_repository)
        throttle = LoginThrottle(MongoLoginFailureRepository(mongo), MongoKnownOriginRepository(mongo), clock)
        self.accounts = AccountService(
            operators,
            tenants,
            access,
            passwords,
            throttle,
            audit,
            self._next_operator_id,
            self._new_ids("tenant"),
            clock,
        )
        self._sessions = SessionService(
            operators, tenants, MongoSessionRepository(mongo, outbox), access, passwords, throttle, audit, clock
        )
        self.api_keys = ApiKeyService(
            MongoApiKeyRepository(mongo, outbox), operators, access, audit, self._new_ids("api_key"), clock
        )
        self._invitations = InvitationService(
            operators, tenants, self._sessions, passwords, audit, clock, self._public_url
        )
        self._first_owner = FirstOwnerTask(mongo, self.accounts, self._settings)

    def _build_team(self) -> None:
        """The operators of a tenant, and the teams (departments) that they are in."""
        team, operators, sites = MongoTeamRepository(self._mongo), self._operators, self.site_repository
        self.team_directory = TeamDirectory(team, operators, sites, self.teams_repository)
        self._team = TeamService(
            team,
            operators,
            self._tenants,
            sites,
            self._invitations,
            self._passwords,
            self.audit,
            self._next_operator_id,
            self._clock,
        )
        self._teams = TeamsService(
            self.teams_repository, sites, self.team_directory, self.audit, self._new_ids("team"), self._clock
        )

    def _build_site_lookups(self) -> None:
        """What other features and services read about sites, and the ciphers of a site's secrets."""
        self.site_directory = SiteDirectory(self.site_repository)
        self.cached_sites = CachedSites(self.site_directory)
        self.ended_sessions = MongoEndedSessions(self._mongo, self._outbox)
        secrets = self._settings.identity_secret, self._settings.encryption_secret
        self.site_key_cipher = SiteKeyCipher(*secrets)
        self.identity_secret_cipher = SiteKeyCipher(*secrets, "identity secret")
        self.ssrf_guard = SsrfGuard(self._settings.ai_private_hosts)

    def _build_site_settings(self) -> None:
        """A site's settings, and the answer tests that changes of them must pass."""
        mongo, audit, clock = self._mongo, self.audit, self._clock
        self.answer_tests, self.answer_test_runs = MongoAnswerTestRepository(mongo), MongoTestRunRepository(mongo)
        self._knowledge_entries = MongoKnowledgeRepository(mongo)
        self.answer_test_gate = AnswerTestGate(self.answer_tests, self.answer_test_runs, self._knowledge_entries, clock)
        self.ai_settings = AiSettingsService(self.site_key_cipher.encrypt, self.ssrf_guard.find_rejection)
        self.site_service = SiteService(
            self.site_repository,
            audit,
            self.ai_settings,
            self._new_ids("site"),
            clock,
            self.cached_sites.invalidate,
            self.answer_test_gate.check,
        )
        self.test_run_service = TestRunService(
            self.answer_tests,
            self.answer_test_runs,
            self.site_service,
            self.ai_settings,
            self._knowledge_entries,
            audit,
            self._new_ids("answer_test_run"),
            clock,
        )

    def _build_site_features(self) -> None:
        """What belongs to one site: secrets of identification, triggers, knowledge, routing."""
        self._identity_secrets = IdentitySecretService(
            self.site_service, self.identity_secret_cipher.encrypt, self._new_ids("identity_secret"), self._clock
        )
        self.triggers = TriggerModule(self._mongo, self.site_service, self._settings.identity_secret, self._clock)
        self.passage_vectors = MongoVectorRepository(self._mongo)
        self.knowledge = KnowledgeService(
            self._knowledge_entries,
            self.site_service,
            self.audit,
            self._new_ids("knowledge"),
            self.passage_vectors.increment_version,
        )
        self._routing = RoutingService(self.site_service, self.teams_repository)

    def _build_operator_tools(self) -> None:
        """Canned replies and labels, and the forms of a site, which set labels."""
        mongo, audit, clock = self._mongo, self.audit, self._clock
        self.audiences = Audiences(self.site_repository, self.team_directory)
        self.canned_replies = CannedReplyService(
            MongoCannedReplyRepository(mongo, clock), self.audiences, audit, self._new_ids("canned_reply"), clock
        )
        self.label_repository = MongoLabelRepository(mongo)
        self.labels = LabelService(self.label_repository, self.audiences, audit, self._new_ids("label"), clock)
        self._form_settings = FormSettingsService(self.site_service, self.teams_repository, self.labels, clock)

    def _build_reports(self) -> None:
        reports = MongoReportRepository(self._mongo)
        self.reports = ReportService(reports, self.site_repository)
        self.report_collector = ReportCollector(reports, self.site_repository, self._clock)

    def routes(self) -> list[Route]:
        return [
            *account_routes.routes(AccountHandlers(self.accounts)),
            *api_key_routes.routes(ApiKeyHandlers(self.api_keys)),
            *site_routes.routes(
                SiteHandlers(self.site_service, self._public_url, self._settings.mail_is_on),
                ChatbotHandlers(self.site_service),
            ),
            *identification_routes.secret_routes(IdentitySecretHandlers(self._identity_secrets)),
            *form_routes.settings_routes(FormSettingsHandlers(self._form_settings)),
            *trigger_routes.site_routes(TriggerHandlers(self.triggers.service)),
            *knowledge_routes.routes(KnowledgeHandlers(self.knowledge)),
            *label_routes.routes(LabelHandlers(self.labels)),
            *team_routes.routes(TeamHandlers(self._team)),
            *teams_routes.routes(TeamsHandlers(self._teams)),
            *routing_routes.routes(RoutingHandlers(self._routing)),
            *audit_routes.routes(AuditHandlers(self.audit)),
            *report_routes.routes(ReportHandlers(self.reports)),
            *internal_api_routes.routes(
                InternalApiHandlers(
                    self._sessions, self.api_keys, self._invitations, self.site_directory, self.ended_sessions
                )
            ),
        ]

    def rpc_methods(self) -> dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any] | None]]]:
        """Return what other services can ask about sites, their teams and logins, by method name."""
        return {
            "site": self.site_directory.rpc_site,
            "site_operators": self._rpc_site_operators,
            "valid_logins": self._rpc_valid_logins,
        }

    async def _rpc_valid_logins(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return which of an operator's login sessions and API keys have not ended."""
        operator_id = int(params["operator_id"])
        return {
            "session_ids": await self._sessions.filter_valid(operator_id, params["session_ids"]),
            "api_key_hashes": await self.api_keys.filter_valid(operator_id, params["api_key_hashes"]),
        }

    async def _rpc_site_operators(self, params: Mapping[str, Any]) -> dict[str, Any] | None:
        site = await self.site_directory.rpc_site(params)
        if site is None:
            return None
        return await self.team_directory.rpc_site_operators(site["tenant_id"], int(params["site_id"]))

    async def start(self) -> None:
        self._first_owner.start()

    async def stop(self) -> None:
        await self._first_owner.stop()
        await self.cached_sites.stop()
        self._passwords.close()

    def unready_reason(self) -> str | None:
        return self._first_owner.unready_reason()
