"""Wiring of tools."""

from __future__ import annotations

from parley.chat.ai.site_keys import SiteKeyCipher
from parley.chat.audit.service import AuditService
from parley.chat.knowledge_sources.module import build_user_agent
from parley.chat.mcp_servers.module import McpServerModule
from parley.chat.mongo_ids import BlockIdGenerator
from parley.chat.settings import ChatSettings
from parley.chat.sites.service import SiteService
from parley.chat.tools.handlers import ToolHandlers
from parley.chat.tools.http_caller import HttpToolCaller
from parley.chat.tools.repository import MongoToolRepository
from parley.chat.tools.service import ToolService
from parley.chat.tools.session import HttpToolSource, ToolSessions
from parley.common.http.ssrf_guard import SsrfGuard
from parley.common.mongodb import Mongo
from parley.common.runtime.clock import Clock, utc_now


class ToolModule:
    def __init__(
        self, mongo: Mongo, settings: ChatSettings, sites: SiteService, audit: AuditService, clock: Clock = utc_now
    ) -> None:
        next_id = BlockIdGenerator(mongo, "tool").next
        cipher = SiteKeyCipher(settings.identity_secret, settings.encryption_secret, "tool secret")
        guard = SsrfGuard(settings.tool_private_hosts)
        repository = MongoToolRepository(mongo)
        self.caller = HttpToolCaller(guard, cipher, build_user_agent(settings.public_url), clock)
        service = ToolService(
            repository,
            sites,
            audit,
            cipher,
            guard.find_rejection,
            self.caller,
            next_id,
            clock,
        )
        self.handlers = ToolHandlers(service)
        self.servers = McpServerModule(mongo, settings, sites, audit, guard, next_id, clock)
        self.sessions = ToolSessions((HttpToolSource(repository, self.caller), self.servers.source), clock)
