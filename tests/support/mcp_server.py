"""An MCP server of the tests, by the protocol's official SDK: it speaks both generations of the protocol over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from support.wait import wait_until


@dataclass(frozen=True, slots=True)
class McpRequest:
    """A request as the server has received it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def rpc(self) -> str:
        """The method of the protocol that it calls."""
        return str(json.loads(self.body).get("method")) if self.body else self.method


@dataclass(slots=True)
class ShopServer:
    """An MCP server with orders: `order_status` only reads, `cancel_order` changes something."""

    url: str = ""
    requests: list[McpRequest] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    is_legacy: bool = False
    """It speaks only the generation of the protocol that has sessions."""
    forgets: Callable[[McpRequest], bool] = field(default=lambda _request: False)
    """Requests that it answers as if it did not know the session."""
    server: MCPServer = field(default_factory=lambda: MCPServer("shop", log_level="CRITICAL"))

    def reset(self) -> None:
        """Be as in the beginning."""
        self.requests.clear()
        self.is_legacy, self.forgets = False, lambda _request: False
        self.remove_tools()
        self.add_status("The status of an order.")

        @self.server.tool(description="Cancels an order.")
        def cancel_order(order_id: str) -> str:
            self.cancelled.append(order_id)
            return "cancelled"

    def remove_tools(self) -> None:
        for name in ("order_status", "cancel_order"):
            with suppress(ToolError):
                self.server.remove_tool(name)

    def add_status(self, description: str) -> None:
        """Describe `order_status`, for the first time or in another way."""
        with suppress(ToolError):
            self.server.remove_tool("order_status")

        @self.server.tool(
            title="Look up an order", description=description, annotations=ToolAnnotations(read_only_hint=True)
        )
        def order_status(order_id: str) -> dict[str, str]:
            if order_id == "lost":
                raise ValueError("this order is lost")
            return {"status": "shipped" if order_id != "long" else "x" * 20_000}

    def calls(self) -> list[McpRequest]:
        """The requests that have called a tool."""
        return [request for request in self.requests if request.rpc == "tools/call"]


class _Recorder:
    """Records requests, and refuses some, before the SDK's server reads them."""

    def __init__(self, shop: ShopServer, app: ASGIApp) -> None:
        self._shop = shop
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        received = McpRequest(request.method, target, dict(request.headers), body)
        self._shop.requests.append(received)
        if self._shop.is_legacy and received.rpc == "server/discover":
            await Response(status_code=400)(scope, receive, send)
        elif "mcp-session-id" in received.headers and self._shop.forgets(received):
            await Response(status_code=404)(scope, receive, send)
        else:
            await self._app(scope, _replay(body, receive), send)


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]

    async def read() -> Any:
        return messages.pop() if messages else await receive()

    return read


@asynccontextmanager
async def run_shop_server() -> AsyncIterator[ShopServer]:
    """Run the server in a thread of its own."""
    shop = ShopServer()
    shop.reset()
    config = uvicorn.Config(_Recorder(shop, shop.server.streamable_http_app()), port=0, log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="mcp-server")
    thread.start()
    try:
        await wait_until(lambda: server.started, description="the MCP server listens")
        port = server.servers[0].sockets[0].getsockname()[1]
        shop.url = f"http://127.0.0.1:{port}/mcp"
        yield shop
    finally:
        server.should_exit = True
        thread.join()
