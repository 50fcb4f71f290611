"""MCP servers in MongoDB."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from parley.chat.mcp_servers.errors import McpServerNameTaken, TooManyMcpServers
from parley.chat.mcp_servers.model import AllowedTool, ListedTool, McpServer, McpServerOptions, ToolState
from parley.chat.mongo_limits import stay_within
from parley.chat.newer_documents import known_fields, with_unknown_fields
from parley.chat.tools.credentials import Credentials
from parley.chat.tools.model import Outcome
from parley.common.mongodb import Document, Index, Mongo

COLLECTION = "mcp_servers"

INDEXES = [Index(COLLECTION, [("site_id", 1), ("name", 1)], {"name": "name", "unique": True})]

_WITHOUT_LISTING = {"listed": 0}
"""It can be large, and only the choice of tools needs it."""
_NO_TOOLS: Document = {"tools": [], "listed": [], "failure": None}


class MongoMcpServerRepository:
    """An McpServerRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def list_for_site(self, tenant_id: int, site_id: int) -> list[McpServer]:
        query = {"site_id": site_id, "tenant_id": tenant_id}
        cursor = self._mongo[COLLECTION].find(query, _WITHOUT_LISTING).sort("_id", 1)
        return [_to_server(document) async for document in cursor]

    async def find(self, tenant_id: int, site_id: int, server_id: int) -> McpServer | None:
        query = {"_id": server_id, "tenant_id": tenant_id, "site_id": site_id}
        document = await self._mongo[COLLECTION].find_one(query, _WITHOUT_LISTING)
        return None if document is None else _to_server(document)

    async def add(self, server: McpServer, limit: int) -> None:
        document = {"_id": server.id, **_fields(server), **_NO_TOOLS}
        async with stay_within(
            self._mongo, COLLECTION, {"site_id": server.site_id}, [server.id], limit, TooManyMcpServers
        ):
            try:
                await self._mongo[COLLECTION].insert_one(document)
            except DuplicateKeyError as exc:
                raise McpServerNameTaken from exc

    async def replace(self, before: McpServer, after: McpServer, *, clear_tools: bool = False) -> bool:
        query = {
            "_id": before.id,
            "tenant_id": before.tenant_id,
            "site_id": before.site_id,
            "updated_at": before.updated_at,
        }
        fields = {**_fields(after), **(_NO_TOOLS if clear_tools else {})}
        try:
            result = await self._mongo[COLLECTION].update_one(query, {"$set": fields})
        except DuplicateKeyError as exc:
            raise McpServerNameTaken from exc
        return result.matched_count == 1

    async def delete(self, tenant_id: int, site_id: int, server_id: int) -> bool:
        query = {"_id": server_id, "tenant_id": tenant_id, "site_id": site_id}
        return (await self._mongo[COLLECTION].delete_one(query)).deleted_count == 1

    async def store_listing(self, server_id: int, tools: Sequence[ListedTool]) -> None:
        rows = [
            {
                "name": tool.name,
                "title": tool.title,
                "description": tool.description,
                "parameters": json.dumps(tool.parameters, ensure_ascii=False),
                "fingerprint": tool.fingerprint,
                "read_only_hint": tool.read_only_hint,
                "fault": tool.fault,
            }
            for tool in tools
        ]
        await self._mongo[COLLECTION].update_one({"_id": server_id}, {"$set": {"listed": rows}})

    async def find_listing(self, server_id: int) -> list[ListedTool]:
        document = await self._mongo[COLLECTION].find_one({"_id": server_id}, {"listed": 1})
        rows = document["listed"] if document else ()
        return [
            ListedTool(**{**known_fields(ListedTool, row), "parameters": json.loads(row["parameters"])}) for row in rows
        ]

    async def allow(self, server_id: int, tools: Sequence[AllowedTool]) -> bool:
        query = {"_id": server_id}
        fields = await with_unknown_fields(
            self._mongo,
            COLLECTION,
            query,
            lambda row: {"tools": [_allowed_document(tool) for tool in _to_server(row).tools]},
            {"tools": [_allowed_document(tool) for tool in tools]},
        )
        return (await self._mongo[COLLECTION].update_one(query, {"$set": fields})).matched_count == 1

    async def record_states(self, server_id: int, states: Mapping[int, ToolState]) -> None:
        # Each by its id: what a manager has allowed meanwhile is not touched.
        changes = [
            UpdateOne({"_id": server_id, "tools.id": tool_id}, {"$set": {"tools.$.state": state}})
            for tool_id, state in states.items()
        ]
        if changes:
            await self._mongo[COLLECTION].bulk_write(changes)

    async def record_failure(self, server_id: int, failure: Outcome | None) -> None:
        await self._mongo[COLLECTION].update_one({"_id": server_id}, {"$set": {"failure": failure}})


def _fields(server: McpServer) -> Document:
    """What a manager says about a server."""
    return {
        "tenant_id": server.tenant_id,
        "site_id": server.site_id,
        "name": server.options.name,
        "url": server.options.url,
        "enabled": server.options.enabled,
        "secret": server.credentials.encrypted_secret,
        "authorization": server.credentials.encrypted_authorization,
        "created_at": server.created_at,
        "updated_at": server.updated_at,
    }


def _allowed_document(tool: AllowedTool) -> Document:
    return {
        "id": tool.id,
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        # As text: a schema has names that MongoDB gives a meaning to.
        "parameters": json.dumps(tool.parameters, ensure_ascii=False),
        "fingerprint": tool.fingerprint,
        "writes": tool.writes,
        "identified_only": tool.identified_only,
        "allowed_at": tool.allowed_at,
        "state": tool.state,
    }


def _to_allowed(row: Document) -> AllowedTool:
    return AllowedTool(**{**known_fields(AllowedTool, row), "parameters": json.loads(row["parameters"])})


def _to_server(document: Document) -> McpServer:
    return McpServer(
        id=document["_id"],
        tenant_id=document["tenant_id"],
        site_id=document["site_id"],
        options=McpServerOptions(document["name"], document["url"], document["enabled"]),
        credentials=Credentials(document["secret"], document["authorization"]),
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        tools=tuple(map(_to_allowed, document["tools"])),
        failure=document.get("failure"),
    )
