"""A website of the tests, over real HTTP: pages that change, and everything that goes wrong on real ones."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Website:
    """Answers with `pages` (HTML, with ETags) and `handlers`, by path; anything else is 404."""

    url: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    handlers: dict[str, Handler] = field(default_factory=dict)
    requests: list[web.Request] = field(default_factory=list)
    concurrent: int = 0
    most_concurrent: int = 0

    def paths(self) -> list[str]:
        """The paths that were asked for, without robots.txt."""
        return [request.path for request in self.requests if request.path != "/robots.txt"]

    def add(self, path: str, title: str, text: str, *links: str, head: str = "") -> None:
        anchors = "".join(f'<a href="{link}">more</a> ' for link in links)
        self.pages[path] = (
            f"<!doctype html><html lang=en><head><title>{title}</title>{head}</head><body><nav>{anchors}</nav>"
            f"<main><h1>{title}</h1><p>{text}</p></main></body></html>"
        )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.concurrent += 1
        self.most_concurrent = max(self.most_concurrent, self.concurrent)
        try:
            if request.path in self.handlers:
                return await self.handlers[request.path](request)
            page = self.pages.get(request.path)
            if page is None:
                return web.Response(status=404)
            tag = hashlib.sha256(page.encode()).hexdigest()[:16]
            if f'"{tag}"' == request.headers.get("If-None-Match"):
                return web.Response(status=304, headers={"ETag": f'"{tag}"'})
            return web.Response(text=page, content_type="text/html", headers={"ETag": f'"{tag}"'})
        finally:
            self.concurrent -= 1


@asynccontextmanager
async def run_website() -> AsyncIterator[Website]:
    website = Website()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", website.answer)
    server = TestServer(app)
    await server.start_server()
    website.url = str(server.make_url("")).rstrip("/")
    try:
        yield website
    finally:
        await server.close()


def redirect(target: str) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": target})

    return answer


def respond(status: int = 200, body: bytes = b"", content_type: str = "text/html", **headers: str) -> Handler:
    """Answer with the same response each time; underscores in the names of headers are hyphens."""

    async def answer(_request: web.Request) -> web.Response:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers={"Content-Type": content_type, **fields})

    return answer


def gzip_bomb(megabytes: int) -> Handler:
    return respond(body=gzip.compress(bytes(megabytes * 2**20)), Content_Encoding="gzip")


async def endless_page(request: web.Request) -> web.StreamResponse:
    """Never ends, as long as somebody reads."""
    response = web.StreamResponse(headers={"Content-Type": "text/html"})
    await response.prepare(request)
    while True:
        await response.write(b"<p>on and on</p>" * 4096)


async def broken_page(request: web.Request) -> web.StreamResponse:
    """Ends in the middle of the response."""
    response = web.StreamResponse(headers={"Content-Type": "text/html", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"<p>half")
    assert request.transport is not None
    request.transport.close()
    return response


@dataclass(slots=True)
class Gate:
    """Holds a page back until it is opened."""

    page: Handler
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.reached.set()
        await self.opened.wait()
        return await self.page(request)
