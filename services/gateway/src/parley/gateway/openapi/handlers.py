"""Handlers of the OpenAPI document and of the page that shows it."""

from __future__ import annotations

import asyncio
import time
from importlib import resources

import orjson
from aiohttp import web

from parley.common.errors import NotFound, Unavailable
from parley.gateway.openapi.document import build_public_openapi
from parley.gateway.routes import SERVICES
from parley.gateway.timeouts import OPENAPI_CACHE_SECONDS
from parley.gateway.upstream.internal_api import InternalApiClient

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES = {"page.html": "text/html", "page.js": "text/javascript", "page.css": "text/css"}


class OpenApiHandlers:
    """Serves `GET /api/v1/openapi.json` and `GET /docs`."""

    def __init__(self, internal_api: InternalApiClient) -> None:
        self._internal_api = internal_api
        self._lock = asyncio.Lock()
        self._cached: tuple[float, bytes] | None = None
        directory = resources.files("parley.gateway.openapi").joinpath("reference")
        self._files = {name: directory.joinpath(name).read_bytes() for name in _FILES}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_route("GET", "/api/v1/openapi.json", self.get_document)
        router.add_route("GET", "/docs", self.get_page)
        router.add_route("GET", r"/docs/{file:page\.(?:js|css)}", self.get_page)

    async def get_document(self, _request: web.Request) -> web.StreamResponse:
        async with self._lock:
            body = await self._load()
        return web.Response(body=body, content_type="application/json", headers={"Access-Control-Allow-Origin": "*"})

    async def get_page(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("file", "page.html")
        headers = {"Content-Security-Policy": _CONTENT_SECURITY_POLICY, "Cache-Control": "no-cache"}
        return web.Response(body=self._files[name], content_type=_FILES[name], charset="utf-8", headers=headers)

    async def _load(self) -> bytes:
        """Return the document, at most a minute old, or an older one while a service is unavailable."""
        if self._cached is not None and time.monotonic() - self._cached[0] < OPENAPI_CACHE_SECONDS:
            return self._cached[1]
        try:
            documents = await asyncio.gather(*(self._internal_api.get_openapi(service) for service in SERVICES))
        except (Unavailable, NotFound):
            if self._cached is None:
                raise Unavailable from None
            return self._cached[1]
        body = orjson.dumps(build_public_openapi(dict(zip(SERVICES, documents, strict=True))))
        self._cached = (time.monotonic(), body)
        return body
