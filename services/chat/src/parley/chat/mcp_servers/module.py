"""Wiring of MCP servers."""

from __future__ import annotations

from parley.chat.ai.site_keys import SiteKeyCipher
from parley.chat.audit.service import AuditService
from parley.chat.ids import NextId
from parley.chat.knowledge_sources.module import build_user_agent
from parley.chat.mcp_servers.client import SdkMcpClient
from parley.chat.mcp_servers.handlers import McpServerHandlers
from parley.chat.mcp_servers.repository import MongoMcpServerRepository
from parley.chat.mcp_servers.service import McpServerService
from parley.chat.mcp_servers.source import McpToolSource
from parley.chat.mongo_ids import BlockIdGenerator
from parley.chat.settings import ChatSettings
from parley.chat.sites.service import SiteService
from parley.common.http.ssrf_guard import SsrfGuard
from parley.common.mongodb import Mongo
from parley.common.runtime.clock import Clock


class McpServerModule:
    """`next_tool_id` numbers all tools of the installation."""

    def __init__(
        self,
        mongo: Mongo,
        settings: ChatSettings,
        sites: SiteService,
        audit: AuditService,
        guard: SsrfGuard,
        next_tool_id: NextId,
        clock: Clock,
    ) -> None:
        cipher = SiteKeyCipher(settings.identity_secret, settings.encryption_secret, "MCP server secret")
        client = SdkMcpClient(guard, cipher, build_user_agent(settings.public_url), clock)
        repository = MongoMcpServerRepository(mongo)
        self.source = McpToolSource(repository, client)
        self.handlers = McpServerHandlers(
            McpServerService(
                repository,
                sites,
                audit,
                cipher,
                guard.find_rejection,
                client,
                BlockIdGenerator(mongo, "mcp_server").next,
                next_tool_id,
                clock,
            )
        )
