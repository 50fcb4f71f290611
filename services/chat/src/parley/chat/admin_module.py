"""Accounts and administration, put together: what app.py adds as one part, and what the conversations look up here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from parley.chat import admin_routes
from parley.chat.accounts import login_throttling_repository
from parley.chat.accounts import repository as accounts
from parley.chat.accounts.access import AccessBook
from parley.chat.accounts.handlers import AuthHandlers
from parley.chat.accounts.login_throttling import LoginGuard
from parley.chat.accounts.passwords import Passwords
from parley.chat.accounts.service import Accounts, Operator
from parley.chat.ai.settings import AiChoices
from parley.chat.ai.site_keys import SiteKeys
from parley.chat.ai.ssrf_guard import Addresses
from parley.chat.api_keys import repository as api_keys
from parley.chat.api_keys.handlers import ApiKeyHandlers
from parley.chat.api_keys.service import ApiKeys
from parley.chat.audit import repository as audit
from parley.chat.audit.handlers import AuditHandlers
from parley.chat.audit.service import Audit
from parley.chat.internal_api.handlers import ErrandHandlers
from parley.chat.invitations.handlers import InvitationHandlers
from parley.chat.invitations.service import Invitations
from parley.chat.knowledge import repository as knowledge
from parley.chat.knowledge.handlers import KnowledgeHandlers
from parley.chat.knowledge.service import Knowledge
from parley.chat.sessions import repository as sessions
from parley.chat.sessions.service import Sessions
from parley.chat.settings import ChatSettings
from parley.chat.sites import repository as sites
from parley.chat.sites.cached_sites import SiteMemory
from parley.chat.sites.chatbot_handlers import ChatbotHandlers
from parley.chat.sites.handlers import SiteHandlers
from parley.chat.sites.service import Site, SiteDirectory, Sites
from parley.chat.team import repository as team
from parley.chat.team.handlers import TeamHandlers
from parley.chat.team.service import Team, TeamDirectory
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Forbidden
from parley.common.http import Route
from parley.common.mongodb import IdBlocks, Mongo, Outbox
from parley.common.observability.logging import logger
from parley.common.runtime.clock import Clock, utc_now
from parley.common.runtime.tasks import cancel_and_wait

log = logger(__name__)

_AGAIN_SECONDS = 1.0


class Administration:
    """A part of the service: at its start it makes the first owner, where the settings name one."""

    name = "administration"

    def __init__(self, mongo: Mongo, outbox: Outbox, settings: ChatSettings, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._settings = settings
        self._first_owner: asyncio.Task[None] | None = None
        self._passwords = Passwords()
        operators, tenants = accounts.MongoOperators(mongo, outbox), accounts.MongoTenants(mongo)
        site_store, team_store = sites.MongoSites(mongo, outbox), team.MongoTeam(mongo)
        guard = LoginGuard(login_throttling_repository.MongoFailures(mongo), clock)
        next_operator_id = IdBlocks(mongo, "operator").next
        public_url = settings.public_url.rstrip("/")

        self.audit = Audit(audit.MongoAudit(mongo), IdBlocks(mongo, "audit").next, clock)
        self.sites = SiteDirectory(site_store)
        self.site_memory = SiteMemory(self.sites)
        self.team = TeamDirectory(team_store, operators, site_store)
        access_book = AccessBook(site_store)
        self._accounts = Accounts(
            operators,
            tenants,
            self._passwords,
            guard,
            self.audit,
            next_operator_id,
            IdBlocks(mongo, "tenant").next,
            clock,
        )
        logins = Sessions(
            operators,
            sessions.MongoSessions(mongo, outbox),
            access_book,
            self._passwords,
            guard,
            self.audit,
            clock,
        )
        inviting = Invitations(operators, tenants, logins, self._passwords, self.audit, clock, public_url)
        self.site_keys = SiteKeys(settings.identity_secret)
        self.addresses = Addresses(settings.ai_private_hosts)
        ai = AiChoices(self.site_keys.seal, self.addresses.refuse)
        self.site_use = Sites(site_store, self.audit, ai, IdBlocks(mongo, "site").next, clock, self.site_memory.forget)
        self.knowledge = Knowledge(
            knowledge.MongoKnowledge(mongo), self.site_use, self.audit, IdBlocks(mongo, "knowledge").next
        )
        self.api_keys = ApiKeys(
            api_keys.MongoApiKeys(mongo, outbox),
            operators,
            access_book,
            self.audit,
            IdBlocks(mongo, "api_key").next,
            clock,
        )
        self._team = Team(
            team_store,
            operators,
            tenants,
            site_store,
            inviting,
            self._passwords,
            self.audit,
            next_operator_id,
            clock,
        )
        self._handlers = admin_routes.Handlers(
            auth=AuthHandlers(self._accounts, access_book),
            api_keys=ApiKeyHandlers(self.api_keys),
            sites=SiteHandlers(self.site_use, public_url),
            chatbot=ChatbotHandlers(self.site_use),
            knowledge=KnowledgeHandlers(self.knowledge),
            team=TeamHandlers(self._team),
            invitations=InvitationHandlers(self._team),
            audit=AuditHandlers(self.audit),
            errands=ErrandHandlers(logins, self.api_keys, inviting, self.sites),
        )
        self.create_tenant: Callable[[str, str, str, str], Awaitable[Operator]] = self._accounts.create_tenant
        """A new tenant with its first owner: `(name, owner_email, password, owner_name)`."""
        self.every_site: Callable[[], Awaitable[Sequence[Site]]] = site_store.everywhere
        """All tenants' sites, deleted ones too: for administrators."""
        self._operators, self._access_book = operators, access_book

    def routes(self) -> list[Route]:
        """The table of accounts and administration."""
        return admin_routes.routes(self._handlers)

    async def caller_of(self, email: str, address: str) -> OperatorCaller:
        """An operator as the caller of what is done on their behalf, outside of any request. Raises Forbidden."""
        operator = await self._operators.by_email(email.strip().lower())
        if operator is None or not operator.active:
            raise Forbidden
        access = await self._access_book.of(operator)
        return OperatorCaller(
            operator.id,
            operator.tenant_id,
            operator.name,
            access.sites,
            owner=operator.owner,
            access_version=operator.version,
            language=operator.language,
            address=address,
        )

    def questions(self) -> dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any] | None]]]:
        """What other services may ask about sites and their teams."""
        return {"site": self.sites.answer_site, "site_operators": self._site_operators}

    async def _site_operators(self, question: Mapping[str, Any]) -> dict[str, Any] | None:
        site = await self.sites.answer_site(question)
        return None if site is None else await self.team.site_operators(site["tenant_id"], int(question["site_id"]))

    async def start(self) -> None:
        """Make the first owner as soon as the database is there."""
        if self._settings.owner_email and self._settings.owner_password:
            work = self._make_first_owner(self._settings.owner_email, self._settings.owner_password.get_secret_value())
            self._first_owner = asyncio.create_task(work, name="first-owner")

    async def stop(self) -> None:
        if self._first_owner is not None:
            await cancel_and_wait(self._first_owner)
        self._passwords.close()

    def fault(self) -> str | None:
        waiting = self._first_owner is not None and not self._first_owner.done()
        return "the first owner is not made yet" if waiting else None

    async def _make_first_owner(self, email: str, password: str) -> None:
        await self._mongo.prepared.wait()
        while True:
            try:
                return await self._accounts.ensure_first_owner("Parley", email, password, email.partition("@")[0])
            except Exception as exc:
                log.warning("first_owner_not_made", error=repr(exc)[:300])
            await asyncio.sleep(_AGAIN_SECONDS)
