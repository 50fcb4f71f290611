"""A customer's website with the widget, at an origin other than the gateway's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

_PAGE = (
    "<!doctype html><html lang=en><head><meta charset=utf-8><link rel=icon href='data:,'>"
    "<meta name=viewport content='width=device-width'><title>Shop</title>{head}</head>"
    "<body>{body}</body></html>"
)


def build_page(head: str = "", body: str = "<h1>Shop</h1>") -> str:
    """Return a page of the shop."""
    return _PAGE.format(head=head, body=body)


@asynccontextmanager
async def serve_pages(pages: Mapping[str, str], policy: str = "") -> AsyncIterator[str]:
    """Serve pages by their paths, with a Content Security Policy; yield the server's origin."""

    async def page(request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": policy} if policy else {}
        text = pages.get(request.path)
        if text is None:
            raise web.HTTPNotFound
        return web.Response(text=text, content_type="text/html", headers=headers)

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    server = TestServer(app)
    await server.start_server()
    try:
        yield f"http://localhost:{server.port}"
    finally:
        await server.close()
