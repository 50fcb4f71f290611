"""The OpenAPI document, put together from what each service says of itself, and a page that shows it."""

from __future__ import annotations

import asyncio
import time
from importlib import resources
from typing import Any, Protocol

import orjson
from aiohttp import web

from parley.common.errors import NotFound, Unavailable
from parley.common.http.openapi import describe
from parley.gateway.auth.handlers import described
from parley.gateway.openapi.merge import Public, merged
from parley.gateway.routes import FORWARDS, SERVICES, Credential

_REMEMBERED_SECONDS = 60.0
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES = {"page.html": "text/html", "page.js": "text/javascript", "page.css": "text/css"}


class Asker(Protocol):
    """Asks the services (`clients.errands`)."""

    async def openapi(self, service: str) -> dict[str, Any]: ...


class Documents:
    """Answers `GET /api/v1/openapi.json` and `/docs`."""

    def __init__(self, errands: Asker) -> None:
        self._errands = errands
        self._lock = asyncio.Lock()
        self._known: tuple[float, bytes] | None = None
        files = resources.files("parley.gateway").joinpath("reference")
        self._files = {name: files.joinpath(name).read_bytes() for name in _FILES}

    async def openapi(self, _request: web.Request) -> web.StreamResponse:
        async with self._lock:
            body = await self._document()
        return web.Response(body=body, content_type="application/json", headers={"Access-Control-Allow-Origin": "*"})

    async def page(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("file", "page.html")
        headers = {"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "no-cache"}
        return web.Response(body=self._files[name], content_type=_FILES[name], charset="utf-8", headers=headers)

    async def _document(self) -> bytes:
        """The document, at most a minute old; an older one while a service cannot say."""
        if self._known is not None and time.monotonic() - self._known[0] < _REMEMBERED_SECONDS:
            return self._known[1]
        try:
            parts = await asyncio.gather(*(self._errands.openapi(service) for service in SERVICES))
        except (Unavailable, NotFound):
            if self._known is None:
                raise Unavailable from None
            return self._known[1]
        public = {
            (route.method, route.path): Public(str(route.rate), route.credential is Credential.VISITOR)
            for route in FORWARDS
        }
        accounts = describe(described())
        body = orjson.dumps(merged(dict(zip(SERVICES, parts, strict=True)), accounts, public))
        self._known = (time.monotonic(), body)
        return body
