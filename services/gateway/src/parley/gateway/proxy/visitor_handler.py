"""Handler of the visitors' routes: site key and session id, and CORS for the site's domains.

Both are in the body, query or form; the session id may be in a header instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import unquote_plus

from aiohttp import web
from pydantic import StringConstraints, ValidationError

from parley.common.auth.visitor_session import SESSION_HEADER, SESSION_ID_PATTERN
from parley.common.errors import Forbidden, ParleyError, ValidationFailed
from parley.common.http import Query, RateLimitClass, RequestBody, error_responses
from parley.gateway.auth.visitors import AuthenticatedVisitor, OriginNotAllowed, VisitorAuthenticator
from parley.gateway.proxy.placement import Placements
from parley.gateway.proxy.reverse_proxy import ProxyRequest, ReverseProxy
from parley.gateway.rate_limit.limiter import RateLimiter
from parley.gateway.rate_limit.limits import RateLimitScope
from parley.gateway.rate_limit.new_session_limiter import NewSessionLimiter
from parley.gateway.rate_limit.stream_limiter import StreamLimiter
from parley.gateway.routes import IDENTIFY_PATH, PRESENCE, ProxyRoute, RouteKind
from parley.gateway.server.client_ip import rate_limit_key
from parley.gateway.server.request_body import (
    parse_json,
    peek_form_fields,
    read_json_body,
    reject_content_encoding,
)
from parley.gateway.server.request_keys import CLIENT_IP, CORS_ORIGIN
from parley.gateway.server.upload_limits import UploadLimits
from parley.gateway.timeouts import PREFLIGHT_MAX_AGE_SECONDS

SiteKey = Annotated[str, StringConstraints(min_length=1, max_length=128)]
SessionId = Annotated[str, StringConstraints(pattern=SESSION_ID_PATTERN)]

_SESSION_ID = re.compile(SESSION_ID_PATTERN)
_SESSION_PARAMETER = "session_id"
_ALLOWED_HEADERS = ("Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Request-Id", SESSION_HEADER)
"""What a page of another origin may send."""


class BodyCredentials(RequestBody):
    """The credentials of a visitor in a JSON body."""

    site_key: SiteKey
    session_id: SessionId
    message_id: Any = None


class QueryCredentials(Query):
    """The credentials of a visitor in a query or a form."""

    site_key: SiteKey
    session_id: SessionId


class BodySite(RequestBody):
    """The site key in a JSON body, of a request whose session id is in its header."""

    site_key: SiteKey
    message_id: Any = None


class VisitorProxyHandler:
    """Checks limits, credentials and origin, then forwards."""

    def __init__(
        self,
        visitors: VisitorAuthenticator,
        limiter: RateLimiter,
        new_sessions: NewSessionLimiter,
        streams: StreamLimiter,
        proxy: ReverseProxy,
        placements: Placements,
        uploads: UploadLimits,
    ) -> None:
        self._visitors = visitors
        self._limiter = limiter
        self._new_sessions = new_sessions
        self._streams = streams
        self._proxy = proxy
        self._placements = placements
        self._uploads = uploads

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
            "Access-Control-Allow-Headers": ", ".join(_ALLOWED_HEADERS),
            "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_SECONDS),
        }
        return web.Response(status=204, headers=headers)

    async def _handle(self, route: ProxyRoute, request: web.Request) -> web.StreamResponse:
        address = rate_limit_key(request[CLIENT_IP])
        self._limiter.acquire(RateLimitScope.ADDRESS, route.rate_limit, address)
        if route.kind.is_upload:
            return await self._forward_upload(route, request)
        if route.kind is RouteKind.EVENT_STREAM:
            with self._streams.slot(address):
                return await self._forward(route, request)
        return await self._forward(route, request)

    async def _forward(self, route: ProxyRoute, request: web.Request) -> web.StreamResponse:
        session_id = _read_session_header(request)
        body, has_message_id = None, False
        if route.method == "GET":
            site_key, session_id = _validate(request.query, session_id)
        else:
            reject_content_encoding(request)
            body = await read_json_body(request)
            if session_id is None:
                credentials = parse_json(BodyCredentials, request, body)
                site_key, session_id = credentials.site_key, credentials.session_id
                has_message_id = bool(credentials.message_id)
            else:
                site = parse_json(BodySite, request, body)
                site_key, has_message_id = site.site_key, bool(site.message_id)
        visitor = await self._authenticate(route, request, site_key, session_id)
        query = _replace_session(request.rel_url.raw_query_string, visitor.session_handle)
        placement = self._placements.for_visitor(route, visitor.session_handle, visitor.tenant_id)
        return await self._proxy.forward(
            ProxyRequest(request, route, visitor.identity, query, placement, body, has_message_id)
        )

    async def _forward_upload(self, route: ProxyRoute, request: web.Request) -> web.StreamResponse:
        self._uploads.validate(route.kind, request)
        session_id = _read_session_header(request)
        names = ("site_key",) if session_id is not None else ("site_key", _SESSION_PARAMETER)
        fields, already_read = await peek_form_fields(request, names)
        site_key, session_id = _validate(fields, session_id)
        visitor = await self._authenticate(route, request, site_key, session_id)
        query = _replace_session(request.rel_url.raw_query_string, visitor.session_handle)
        placement = self._placements.for_visitor(route, visitor.session_handle, visitor.tenant_id)
        proxied = ProxyRequest(request, route, visitor.identity, query, placement)
        return await self._proxy.forward_upload(proxied, self._uploads.stream(route.kind, request, already_read))

    async def _authenticate(
        self, route: ProxyRoute, request: web.Request, site_key: str, session_id: str
    ) -> AuthenticatedVisitor:
        """Raises NotFound, OriginNotAllowed, SessionEnded, TooManyRequests, Unavailable."""
        site = await self._visitors.get_site(site_key)
        origin = request.headers.get("Origin")
        if origin is not None:
            if not site.allows_origin(origin, request.host):
                raise OriginNotAllowed
            request[CORS_ORIGIN] = origin
        visitor = self._visitors.authenticate(site, session_id, request[CLIENT_IP], origin or "")
        # That of an identified person was begun when they were identified, by a session that was counted.
        if not visitor.is_identified:
            self._new_sessions.admit(rate_limit_key(request[CLIENT_IP]), visitor.session_handle)
        self._limiter.acquire(RateLimitScope.SESSION, route.rate_limit, visitor.session_handle)
        self._limiter.acquire(RateLimitScope.SITE, route.rate_limit, str(site.site_id))
        # Most visitors only send heartbeats, which show them nothing.
        if visitor.is_identified or route.service != PRESENCE:
            await self._visitors.require_active(visitor, may_be_joined=route.path == IDENTIFY_PATH)
        return visitor

    def _allow_reading_error(self, request: web.Request, error: ParleyError) -> None:
        """Let a page of a known origin read the error, also if it occurred before the site was determined."""
        origin = request.headers.get("Origin", "")
        if not isinstance(error, Forbidden) and self._visitors.is_origin_cached(origin):
            request[CORS_ORIGIN] = origin


def _read_session_header(request: web.Request) -> str | None:
    """Return the session id of the header; None without it. Raises ValidationFailed."""
    values = request.headers.getall(SESSION_HEADER, [])
    if not values:
        return None
    if len(values) > 1 or not _SESSION_ID.fullmatch(values[0]):
        raise ValidationFailed({SESSION_HEADER: "must be a session id: 16 to 128 of A-Z, a-z, 0-9, _ and -"})
    return values[0]


def _validate(fields: Mapping[str, str], session_id: str | None) -> tuple[str, str]:
    """Return site key and session id; the one of the header counts. Raises ValidationFailed."""
    values = dict(fields)
    if session_id is not None:
        values[_SESSION_PARAMETER] = session_id
    try:
        credentials = QueryCredentials.model_validate(values)
    except ValidationError as exc:
        raise error_responses.validation_error(exc) from exc
    return credentials.site_key, credentials.session_id


def _replace_session(query: str, session_handle: str) -> str:
    """Return the query with the session's handle instead of its secret id, which services must not see.

    The parameter itself stays: services of the version before require it.
    """
    parts = [part for part in query.split("&") if unquote_plus(part.partition("=")[0]) != _SESSION_PARAMETER]
    return "&".join([*filter(None, parts), f"{_SESSION_PARAMETER}={session_handle}"])
