"""Calls endpoints and validates each response against the OpenAPI document."""

from __future__ import annotations

import asyncio
from typing import Any

from support.api import ApiResponse, OperatorClient, VisitorClient
from support.openapi_document import OpenApiDocument
from support.tenants import TenantFixture


class ApiTour:
    """Calls every endpoint and validates each response against the document."""

    def __init__(self, tenant: TenantFixture, document: OpenApiDocument) -> None:
        self.tenant = tenant
        self.api = tenant.api
        self.document = document

    async def call(
        self, who: OperatorClient | None, method: str, path: str, body: Any = None, status: int = 200, **more: Any
    ) -> dict[str, Any]:
        token = who.token if who is not None else None
        reply = await self.api.request(method, f"/api/v1{path}", token=token, body=body, **more)
        self.document.check(method, f"/api/v1{path}", reply)
        return reply.ok(status)

    async def call_as_visitor(
        self, visitor: VisitorClient, method: str, path: str, status: int = 200, **fields: Any
    ) -> dict[str, Any]:
        fields = {**visitor.credentials, **fields}
        if method == "GET":
            return await self.call(None, method, f"/chat{path}", query=fields, status=status)
        return await self.call(None, method, f"/chat{path}", body=fields, status=status)

    async def stream(self, path: str, **query: str) -> None:
        """Validate the beginning of a stream, which does not end by itself."""
        url = f"{self.api.base_url}/api/v1{path}"
        async with asyncio.timeout(10), self.api.http.get(url, params=query) as response:
            first = await response.content.readany()
        assert b"event: ready" in first, first
        self.document.check("GET", f"/api/v1{path}", ApiResponse(response.status, dict(response.headers), b""))

    async def send_message(self, visitor: VisitorClient, message: str, **fields: str) -> int:
        """Send a message and validate the whole reply. Returns the conversation's id."""
        body = {**visitor.credentials, "message": message, **fields}
        reply = await self.api.request("POST", "/api/v1/chat/stream", body=body)
        self.document.check("POST", "/api/v1/chat/stream", reply)
        return int(reply.raw.rpartition(b'"conversation_id":')[2].partition(b",")[0])
