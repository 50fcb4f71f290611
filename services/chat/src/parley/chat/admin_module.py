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
        operators, tenants = MongoOperatorRepository(mongo, outbox), MongoTenantRepository(mongo)
        sites, team = MongoSiteRepository(mongo, outbox), MongoTeamRepository(mongo)
        access, failures = AccessResolver(sites), MongoLoginFailureRepository(mongo)
        throttle = LoginThrottle(failures, MongoKnownOriginRepository(mongo), clock)
        next_operator_id = BlockIdGenerator(mongo, "operator").next
        next_tenant_id = BlockIdGenerator(mongo, "tenant").next
        self._public_url, self._sends_mail = settings.public_url.rstrip("/"), settings.mail_is_on
        self._passwords = passwords = Argon2PasswordHasher()
        self.audit = audit = AuditService(MongoAuditRepository(mongo), BlockIdGenerator(mongo, "audit").next, clock)

        self.accounts = AccountService(
            operators, tenants, access, passwords, throttle, audit, next_operator_id, next_tenant_id, clock
        )
        self._sessions = SessionService(
            operators, tenants, MongoSessionRepository(mongo, outbox), access, passwords, throttle, audit, clock
        )
        next_key_id = BlockIdGenerator(mongo, "api_key").next
        self.api_keys = ApiKeyService(
            MongoApiKeyRepository(mongo, outbox), operators, access, audit, next_key_id, clock
        )
        self._invitations = InvitationService(
            operators, tenants, self._sessions, passwords, audit, clock, self._public_url
        )
        self.teams_repository = teams = MongoTeamsRepository(mongo, outbox)
        self.team_directory = TeamDirectory(team, operators, sites, teams)
        self._team = TeamService(
            team, operators, tenants, sites, self._invitations, passwords, audit, next_operator_id, clock
        )

        self.site_key_cipher = SiteKeyCipher(settings.identity_secret, settings.encryption_secret)
        self.ssrf_guard = SsrfGuard(settings.ai_private_hosts)
        self.ai_settings = ai_settings = AiSettingsService(self.site_key_cipher.encrypt, self.ssrf_guard.find_rejection)
        self.identity_secret_cipher = SiteKeyCipher(
            settings.identity_secret, settings.encryption_secret, "identity secret"
        )
        self.site_repository, self.ended_sessions = sites, MongoEndedSessions(mongo, outbox)
        self.site_directory = SiteDirectory(sites)
        self.cached_sites = CachedSites(self.site_directory)
        next_site_id = BlockIdGenerator(mongo, "site").next
        self.answer_tests, self.answer_test_runs = MongoAnswerTestRepository(mongo), MongoTestRunRepository(mongo)
        self.answer_test_gate = gate = AnswerTestGate(self.answer_tests, self.answer_test_runs, clock)
        self.site_service = SiteService(
            sites, audit, ai_settings, next_site_id, clock, self.cached_sites.invalidate, gate.check
        )
        next_run_id = BlockIdGenerator(mongo, "answer_test_run").next
        self.test_run_service = TestRunService(
            self.answer_tests, self.answer_test_runs, self.site_service, ai_settings, audit, next_run_id, clock
        )
        next_secret_id = BlockIdGenerator(mongo, "identity_secret").next
        self._identity_secrets = IdentitySecretService(
            self.site_service, self.identity_secret_cipher.encrypt, next_secret_id, clock
        )
        self.triggers = TriggerModule(mongo, self.site_service, settings.identity_secret, clock)
        next_entry_id = BlockIdGenerator(mongo, "knowledge").next
        self.passage_vectors = MongoVectorRepository(mongo)
        self.knowledge = KnowledgeService(
            MongoKnowledgeRepository(mongo),
            self.site_service,
            audit,
            next_entry_id,
            self.passage_vectors.increment_version,
        )
        next_reply_id = BlockIdGenerator(mongo, "canned_reply").next
        self.audiences = audiences = Audiences(sites, self.team_directory)
        self.canned_replies = CannedReplyService(
            MongoCannedReplyRepository(mongo, clock), audiences, audit, next_reply_id, clock
        )
        next_team_id = BlockIdGenerator(mongo, "team").next
        self._teams = TeamsService(teams, sites, self.team_directory, audit, next_team_id, clock)
        self._routing = RoutingService(self.site_service, teams)
        self.label_repository = MongoLabelRepository(mongo)
        next_label_id = BlockIdGenerator(mongo, "label").next
        self.labels = LabelService(self.label_repository, audiences, audit, next_label_id, clock)
        self._form_settings = FormSettingsService(self.site_service, teams, self.labels, clock)
        reports = MongoReportRepository(mongo)
        self.reports = ReportService(reports, sites)
        self.report_collector = ReportCollector(reports, sites, clock)
        self._first_owner = FirstOwnerTask(mongo, self.accounts, settings)

    def routes(self) -> list[Route]:
        return [
            *account_routes.routes(AccountHandlers(self.accounts)),
            *api_key_routes.routes(ApiKeyHandlers(self.api_keys)),
            *site_routes.routes(
                SiteHandlers(self.site_service, self._public_url, self._sends_mail), ChatbotHandlers(self.site_service)
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
