"""Visitors' routes: site key and session id in the body, the query or the form; CORS for the site's own domains."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints, ValidationError

from parley.common.errors import Forbidden, ParleyError
from parley.common.http import Query, RequestBody, error_responses
from parley.gateway.auth.visitors import SESSION, OriginNotAllowed, Visitor, Visitors
from parley.gateway.middleware.client_address import client_address
from parley.gateway.middleware.client_ip import Addresses, bucket_of
from parley.gateway.middleware.request import CORS_ORIGIN
from parley.gateway.proxy.bodies import check_upload, first_fields, parsed, refuse_encoded, small, upload
from parley.gateway.proxy.reverse_proxy import Forwarder, Outgoing
from parley.gateway.rate_limit.limiter import Limits, Scope
from parley.gateway.rate_limit.stream_limiter import Streams
from parley.gateway.routes import Forward, Kind

_PREFLIGHT_SECONDS = "600"

SiteKey = Annotated[str, StringConstraints(min_length=1, max_length=128)]
SessionId = Annotated[str, StringConstraints(pattern=SESSION)]


class Mark(RequestBody):
    """What makes a request a visitor's, in a body."""

    site_key: SiteKey
    session_id: SessionId


class QueryMark(Query):
    """The same in a query or a form."""

    site_key: SiteKey
    session_id: SessionId


class VisitorRoutes:
    """Serves the routes whose caller is a visitor."""

    def __init__(
        self, visitors: Visitors, addresses: Addresses, limits: Limits, streams: Streams, forwarder: Forwarder
    ) -> None:
        self._visitors = visitors
        self._addresses = addresses
        self._limits = limits
        self._streams = streams
        self._forwarder = forwarder

    async def answer(self, route: Forward, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(route, request)
        except ParleyError as exc:
            self._show(request, exc)
            raise

    async def preflight(self, request: web.Request) -> web.StreamResponse:
        """Whether a browser may ask at all: it names no site yet, so any site's domain will do."""
        address = client_address(self._addresses, request)
        self._limits.take(Scope.ADDRESS, "read", bucket_of(address))
        origin = request.headers.get("Origin", "")
        if not await self._visitors.origin_known(origin):
            raise OriginNotAllowed
        request[CORS_ORIGIN] = origin
        headers = {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id",
            "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
        }
        return web.Response(status=204, headers=headers)

    async def _answer(self, route: Forward, request: web.Request) -> web.StreamResponse:
        address = client_address(self._addresses, request)
        self._limits.take(Scope.ADDRESS, route.rate, bucket_of(address))
        if route.kind is Kind.UPLOAD:
            return await self._upload(route, request, address)
        if route.kind is Kind.STREAM:
            with self._streams.place(bucket_of(address)):
                return await self._forward(route, request, address)
        return await self._forward(route, request, address)

    async def _forward(self, route: Forward, request: web.Request, address: str) -> web.StreamResponse:
        body = None
        if route.method == "GET":
            site_key, session_id = _in_query(request)
        else:
            refuse_encoded(request)
            body = await small(request)
            mark = parsed(Mark, request, body)
            site_key, session_id = mark.site_key, mark.session_id
        visitor = await self._admit(route, request, site_key, session_id, address)
        query = request.rel_url.raw_query_string
        return await self._forwarder.forward(Outgoing(request, route, visitor.identity, query, body))

    async def _upload(self, route: Forward, request: web.Request, address: str) -> web.StreamResponse:
        check_upload(request)
        fields, first = await first_fields(request, ("site_key", "session_id"))
        mark = _checked(fields)
        visitor = await self._admit(route, request, mark.site_key, mark.session_id, address)
        query = request.rel_url.raw_query_string
        return await self._forwarder.upload(Outgoing(request, route, visitor.identity, query), upload(request, first))

    async def _admit(
        self, route: Forward, request: web.Request, site_key: str, session_id: str, address: str
    ) -> Visitor:
        """The signed visitor. Raises NotFound, OriginNotAllowed, TooMany, Unavailable."""
        site = await self._visitors.site(site_key)
        origin = request.headers.get("Origin")
        if origin is not None:
            if not site.takes(origin, request.host):
                raise OriginNotAllowed
            request[CORS_ORIGIN] = origin
        visitor = self._visitors.sign(site, session_id, address, origin or "")
        self._limits.take(Scope.SESSION, route.rate, visitor.session)
        self._limits.take(Scope.SITE, route.rate, str(site.site_id))
        return visitor

    def _show(self, request: web.Request, problem: ParleyError) -> None:
        """Let a page that is allowed to ask read why it was refused, also where the site was not found out yet."""
        origin = request.headers.get("Origin", "")
        if not isinstance(problem, Forbidden) and self._visitors.seems_known(origin):
            request[CORS_ORIGIN] = origin


def _in_query(request: web.Request) -> tuple[str, str]:
    mark = _checked(dict(request.query))
    return mark.site_key, mark.session_id


def _checked(fields: dict[str, str]) -> QueryMark:
    try:
        return QueryMark.model_validate(fields)
    except ValidationError as exc:
        raise error_responses.invalid(exc) from exc
