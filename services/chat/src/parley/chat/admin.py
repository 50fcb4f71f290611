"""Accounts and administration, put together: what app.py adds as one part, and what the conversations look up here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar

from parley.chat import admin_routes
from parley.chat.domain.access import AccessBook
from parley.chat.domain.accounts import Accounts, Operator
from parley.chat.domain.api_keys import ApiKeys
from parley.chat.domain.audit import Audit
from parley.chat.domain.failures import LoginGuard
from parley.chat.domain.invitations import Invitations
from parley.chat.domain.knowledge import Knowledge
from parley.chat.domain.passwords import Passwords
from parley.chat.domain.sessions import Sessions
from parley.chat.domain.sites import SiteDirectory, Sites
from parley.chat.domain.team import Team, TeamDirectory
from parley.chat.handlers.api_keys import ApiKeyHandlers
from parley.chat.handlers.audit import AuditHandlers
from parley.chat.handlers.auth import AuthHandlers
from parley.chat.handlers.chatbot import ChatbotHandlers
from parley.chat.handlers.errands import ErrandHandlers
from parley.chat.handlers.invitations import InvitationHandlers
from parley.chat.handlers.knowledge import KnowledgeHandlers
from parley.chat.handlers.sites import SiteHandlers
from parley.chat.handlers.team import TeamHandlers
from parley.chat.settings import ChatSettings
from parley.chat.store import accounts, api_keys, audit, failures, invitations, knowledge, sessions, sites, team
from parley.common.clock import Clock, utc_now
from parley.common.mongo import IdBlocks, Index, Mongo, Outbox
from parley.common.telemetry import logger
from parley.common.web import Route

log = logger(__name__)

_AGAIN_SECONDS = 1.0


class Administration:
    """A part of the service: at its start it makes the first owner, where the settings name one."""

    name = "administration"
    outbox_collections: ClassVar[Sequence[str]] = (accounts.OPERATORS, sites.COLLECTION, sessions.COLLECTION)
    indexes: ClassVar[Sequence[Index]] = (
        *accounts.INDEXES,
        *api_keys.INDEXES,
        *audit.INDEXES,
        *failures.INDEXES,
        *invitations.INDEXES,
        *knowledge.INDEXES,
        *sessions.INDEXES,
        *sites.INDEXES,
        *team.INDEXES,
    )

    def __init__(self, mongo: Mongo, outbox: Outbox, settings: ChatSettings, clock: Clock = utc_now) -> None:
        self._mongo = mongo
        self._settings = settings
        self._first_owner: asyncio.Task[None] | None = None
        self._passwords = Passwords()
        operators, tenants = accounts.MongoOperators(mongo, outbox), accounts.MongoTenants(mongo)
        site_store, team_store = sites.MongoSites(mongo, outbox), team.MongoTeam(mongo)
        guard = LoginGuard(failures.MongoFailures(mongo), clock)
        next_operator_id = IdBlocks(mongo, "operator").next
        public_url = settings.public_url.rstrip("/")

        self.audit = Audit(audit.MongoAudit(mongo), IdBlocks(mongo, "audit").next, clock)
        self.sites = SiteDirectory(site_store)
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
        self._sites = Sites(site_store, self.audit, IdBlocks(mongo, "site").next, clock)
        self.knowledge = Knowledge(
            knowledge.MongoKnowledge(mongo), self._sites, self.audit, IdBlocks(mongo, "knowledge").next
        )
        self._keys = ApiKeys(
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
            api_keys=ApiKeyHandlers(self._keys),
            sites=SiteHandlers(self._sites, public_url),
            chatbot=ChatbotHandlers(self._sites),
            knowledge=KnowledgeHandlers(self.knowledge),
            team=TeamHandlers(self._team),
            invitations=InvitationHandlers(self._team),
            audit=AuditHandlers(self.audit),
            errands=ErrandHandlers(logins, self._keys, inviting, self.sites),
        )
        self.create_tenant: Callable[[str, str, str, str], Awaitable[Operator]] = self._accounts.create_tenant
        """A new tenant with its first owner: `(name, owner_email, password, owner_name)`."""

    def routes(self) -> list[Route]:
        """The table of accounts and administration."""
        return admin_routes.routes(self._handlers)

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
            self._first_owner.cancel()
            await asyncio.gather(self._first_owner, return_exceptions=True)
        self._passwords.close()

    def fault(self) -> str | None:
        waiting = self._first_owner is not None and not self._first_owner.done()
        return "the first owner is not made yet" if waiting else None

    async def _make_first_owner(self, email: str, password: str) -> None:
        await self._mongo.prepared.wait()
        while True:
            try:
                return await self._accounts.ensure_first_owner("Parley", email, password, email.partition("@")[0])
            except Exception as problem:
                log.warning("first_owner_not_made", problem=repr(problem)[:300])
            await asyncio.sleep(_AGAIN_SECONDS)
