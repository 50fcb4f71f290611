"""Handler of the visitors' routes: site key and session id in body, query or form, and CORS for the site's domains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints, ValidationError

from parley.common.auth.visitor_session import SESSION_ID_PATTERN
from parley.common.errors import Forbidden, ParleyError
from parley.common.http import Query, RateLimitClass, RequestBody, error_responses
from parley.gateway.auth.visitors import AuthenticatedVisitor, OriginNotAllowed, VisitorAuthenticator
from parley.gateway.proxy.reverse_proxy import ProxyRequest, ReverseProxy
from parley.gateway.rate_limit.limiter import RateLimiter
from parley.gateway.rate_limit.limits import RateLimitScope
from parley.gateway.rate_limit.stream_limiter import StreamLimiter
from parley.gateway.routes import ProxyRoute, RouteKind
from parley.gateway.server.client_ip import rate_limit_key
from parley.gateway.server.request_body import (
    parse_json,
    peek_form_fields,
    read_json_body,
    reject_content_encoding,
    stream_upload,
    validate_upload_headers,
)
from parley.gateway.server.request_keys import CLIENT_IP, CORS_ORIGIN
from parley.gateway.timeouts import PREFLIGHT_MAX_AGE_SECONDS

SiteKey = Annotated[str, StringConstraints(min_length=1, max_length=128)]
SessionId = Annotated[str, StringConstraints(pattern=SESSION_ID_PATTERN)]


class BodyCredentials(RequestBody):
    """The credentials of a visitor in a JSON body."""

    site_key: SiteKey
    session_id: SessionId


class QueryCredentials(Query):
    """The credentials of a visitor in a query or a form."""

    site_key: SiteKey
    session_id: SessionId


VisitorCredentials = BodyCredentials | QueryCredentials


class VisitorProxyHandler:
    """Checks limits, credentials and origin, then forwards."""

    def __init__(
        self, visitors: VisitorAuthenticator, limiter: RateLimiter, streams: StreamLimiter, proxy: ReverseProxy
    ) -> None:
        self._visitors = visitors
        self._limiter = limiter
        self._streams = streams
        self._proxy = proxy

    async def handle(self, route: ProxyRoute, request: web.Request) -> web.StreamResponse:
        try:
            return await self._handle(route, request)
        except ParleyError as exc:
            self._allow_reading_error(request, exc)
            raise

    async def handle_preflight(self, request: web.Request) -> web.StreamResponse:
        """Respond to a CORS preflight, which names no site: an origin that any site allows is accepted."""
        self._limiter.acquire(RateLimitScope.ADDRESS, RateLimitClass.READ, rate_limit_key(request[CLIENT_IP]))
        origin = request.headers.get("Origin", "")
        if not await self._visitors.is_known_origin(origin):
            raise OriginNotAllowed
        request[CORS_ORIGIN] = origin
        headers = {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id",
            "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_SECONDS),
        }
        return web.Response(status=204, headers=headers)

    async def _handle(self, route: ProxyRoute, request: web.Request) -> web.StreamResponse:
        address = rate_limit_key(request[CLIENT_IP])
        self._limiter.acquire(RateLimitScope.ADDRESS, route.rate_limit, address)
        if route.kind is RouteKind.UPLOAD:
            return await self._forward_upload(route, request)
        if route.kind is RouteKind.EVENT_STREAM:
            with self._streams.slot(address):
                return await self._forward(route, request)
        return await self._forward(route, request)

    async def _forward(self, route: ProxyRoute, request: web.Request) -> web.StreamResponse:
        body = None
        credentials: VisitorCredentials
        if route.method == "GET":
            credentials = _validate(request.query)
        else:
            reject_content_encoding(request)
            body = await read_json_body(request)
            credentials = parse_json(BodyCredentials, request, body)
        visitor = await self._authenticate(route, request, credentials)
        query = request.rel_url.raw_query_string
        return await self._proxy.forward(ProxyRequest(request, route, visitor.identity, query, body))

    async def _forward_upload(self, route: ProxyRoute, request: web.Request) -> web.StreamResponse:
        validate_upload_headers(request)
        fields, already_read = await peek_form_fields(request, ("site_key", "session_id"))
        visitor = await self._authenticate(route, request, _validate(fields))
        proxied = ProxyRequest(request, route, visitor.identity, request.rel_url.raw_query_string)
        return await self._proxy.forward_upload(proxied, stream_upload(request, already_read))

    async def _authenticate(
        self, route: ProxyRoute, request: web.Request, credentials: VisitorCredentials
    ) -> AuthenticatedVisitor:
        """Raises NotFound, OriginNotAllowed, TooManyRequests, Unavailable."""
        site = await self._visitors.get_site(credentials.site_key)
        origin = request.headers.get("Origin")
        if origin is not None:
            if not site.allows_origin(origin, request.host):
                raise OriginNotAllowed
            request[CORS_ORIGIN] = origin
        visitor = self._visitors.authenticate(site, credentials.session_id, request[CLIENT_IP], origin or "")
        self._limiter.acquire(RateLimitScope.SESSION, route.rate_limit, visitor.session_handle)
        self._limiter.acquire(RateLimitScope.SITE, route.rate_limit, str(site.site_id))
        return visitor

    def _allow_reading_error(self, request: web.Request, error: ParleyError) -> None:
        """Let a page of a known origin read the error, also if it occurred before the site was determined."""
        origin = request.headers.get("Origin", "")
        if not isinstance(error, Forbidden) and self._visitors.is_origin_cached(origin):
            request[CORS_ORIGIN] = origin


def _validate(fields: Mapping[str, str]) -> QueryCredentials:
    try:
        return QueryCredentials.model_validate(dict(fields))
    except ValidationError as exc:
        raise error_responses.validation_error(exc) from exc
