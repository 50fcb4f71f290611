"""Tools in MongoDB."""

from __future__ import annotations

import json

from pymongo.errors import DuplicateKeyError

from parley.chat.mongo_limits import stay_within
from parley.chat.tools.credentials import Credentials
from parley.chat.tools.errors import ToolNameTaken, TooManyTools
from parley.chat.tools.model import Tool, ToolOptions
from parley.common.mongodb import Document, Index, Mongo

COLLECTION = "tools"

INDEXES = [Index(COLLECTION, [("site_id", 1), ("name", 1)], {"name": "name", "unique": True})]


class MongoToolRepository:
    """A ToolRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def list_for_site(self, tenant_id: int, site_id: int) -> list[Tool]:
        cursor = self._mongo[COLLECTION].find({"site_id": site_id, "tenant_id": tenant_id}).sort("_id", 1)
        return [_to_tool(document) async for document in cursor]

    async def find(self, tenant_id: int, site_id: int, tool_id: int) -> Tool | None:
        query = {"_id": tool_id, "tenant_id": tenant_id, "site_id": site_id}
        document = await self._mongo[COLLECTION].find_one(query)
        return None if document is None else _to_tool(document)

    async def add(self, tool: Tool, limit: int) -> None:
        async with stay_within(self._mongo, COLLECTION, {"site_id": tool.site_id}, [tool.id], limit, TooManyTools):
            try:
                await self._mongo[COLLECTION].insert_one({"_id": tool.id, **_fields(tool)})
            except DuplicateKeyError as exc:
                raise ToolNameTaken from exc

    async def replace(self, before: Tool, after: Tool) -> bool:
        query = {
            "_id": before.id,
            "tenant_id": before.tenant_id,
            "site_id": before.site_id,
            "updated_at": before.updated_at,
        }
        try:
            result = await self._mongo[COLLECTION].update_one(query, {"$set": _fields(after)})
        except DuplicateKeyError as exc:
            raise ToolNameTaken from exc
        return result.matched_count == 1

    async def delete(self, tenant_id: int, site_id: int, tool_id: int) -> bool:
        query = {"_id": tool_id, "tenant_id": tenant_id, "site_id": site_id}
        return (await self._mongo[COLLECTION].delete_one(query)).deleted_count == 1


def _fields(tool: Tool) -> Document:
    options = tool.options
    return {
        "tenant_id": tool.tenant_id,
        "site_id": tool.site_id,
        "name": options.name,
        "title": options.title,
        "description": options.description,
        # As text: a schema has names that MongoDB gives a meaning to.
        "parameters": json.dumps(options.parameters, ensure_ascii=False),
        "method": options.method,
        "url": options.url,
        "writes": options.writes,
        "identified_only": options.identified_only,
        "timeout_seconds": options.timeout_seconds,
        "enabled": options.enabled,
        "secret": tool.credentials.encrypted_secret,
        "authorization": tool.credentials.encrypted_authorization,
        "created_at": tool.created_at,
        "updated_at": tool.updated_at,
    }


def _to_tool(document: Document) -> Tool:
    return Tool(
        id=document["_id"],
        tenant_id=document["tenant_id"],
        site_id=document["site_id"],
        options=ToolOptions(
            name=document["name"],
            title=document["title"],
            description=document["description"],
            parameters=json.loads(document["parameters"]),
            method=document["method"],
            url=document["url"],
            writes=document["writes"],
            identified_only=document["identified_only"],
            timeout_seconds=document["timeout_seconds"],
            enabled=document["enabled"],
        ),
        credentials=Credentials(document["secret"], document["authorization"]),
        created_at=document["created_at"],
        updated_at=document["updated_at"],
    )
