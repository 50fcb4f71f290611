"""Handler of the operators' routes: authentication by token, API key or stream ticket."""

from __future__ import annotations

from urllib.parse import unquote_plus

from aiohttp import web

from parley.gateway.auth.bearer import read_bearer_token
from parley.gateway.auth.operators import AuthenticatedOperator, OperatorAuthenticator
from parley.gateway.auth.tokens import CredentialRejected
from parley.gateway.proxy.placement import Placements
from parley.gateway.proxy.reverse_proxy import ProxyRequest, ReverseProxy
from parley.gateway.rate_limit.limiter import RateLimiter
from parley.gateway.rate_limit.limits import RateLimitScope
from parley.gateway.rate_limit.stream_limiter import StreamLimiter
from parley.gateway.routes import ProxyRoute, RouteKind
from parley.gateway.server.client_ip import rate_limit_key
from parley.gateway.server.request_body import (
    read_json_body,
    reject_content_encoding,
)
from parley.gateway.server.request_keys import CLIENT_IP
from parley.gateway.server.upload_limits import UploadLimits
from parley.gateway.upstream.replica_selection import ANYWHERE

_TOKEN_PARAMETER = "token"  # noqa: S105 - the name of a query parameter


class OperatorProxyHandler:
    """Checks limits and credential, then forwards."""

    def __init__(
        self,
        operators: OperatorAuthenticator,
        limiter: RateLimiter,
        streams: StreamLimiter,
        proxy: ReverseProxy,
        placements: Placements,
        uploads: UploadLimits,
    ) -> None:
        self._operators = operators
        self._limiter = limiter
        self._streams = streams
        self._proxy = proxy
        self._placements = placements
        self._uploads = uploads

    async def handle(self, route: ProxyRoute, request: web.Request) -> web.StreamResponse:
        client_ip = request[CLIENT_IP]
        self._limiter.acquire(RateLimitScope.ADDRESS, route.rate_limit, rate_limit_key(client_ip))
        if route.kind is RouteKind.EVENT_STREAM:
            return await self._handle_stream(route, request, client_ip)
        operator = await self._operators.authenticate(read_bearer_token(request), client_ip)
        self._limiter.acquire(RateLimitScope.OPERATOR, route.rate_limit, str(operator.operator_id))
        query = request.rel_url.raw_query_string
        if route.kind.is_upload:
            self._uploads.validate(route.kind, request)
            proxied = ProxyRequest(request, route, operator.identity, query, ANYWHERE)
            return await self._proxy.forward_upload(proxied, self._uploads.stream(route.kind, request))
        body = None
        if route.method != "GET":
            reject_content_encoding(request)
            body = await read_json_body(request)
        placement = self._placements.for_operator(route, request.match_info, body, operator.tenant_id)
        return await self._proxy.forward(ProxyRequest(request, route, operator.identity, query, placement, body))

    async def _handle_stream(self, route: ProxyRoute, request: web.Request, client_ip: str) -> web.StreamResponse:
        with self._streams.slot(rate_limit_key(client_ip)):
            operator = await self._authenticate_stream(request, client_ip)
            self._limiter.acquire(RateLimitScope.OPERATOR, route.rate_limit, str(operator.operator_id))
            query = _remove_token(request.rel_url.raw_query_string)
            placement = self._placements.for_operator(route, request.match_info, None, operator.tenant_id)
            return await self._proxy.forward(ProxyRequest(request, route, operator.identity, query, placement))

    async def _authenticate_stream(self, request: web.Request, client_ip: str) -> AuthenticatedOperator:
        """Authenticate by header, or by query: a browser's EventSource cannot send headers."""
        if "Authorization" in request.headers:
            return await self._operators.authenticate(read_bearer_token(request), client_ip)
        token = request.query.get(_TOKEN_PARAMETER, "")
        if not token:
            raise CredentialRejected("missing")
        return await self._operators.authenticate_stream(token, client_ip)


def _remove_token(query: str) -> str:
    """Return the query without the credential, which services must not see."""
    return "&".join(part for part in query.split("&") if unquote_plus(part.partition("=")[0]) != _TOKEN_PARAMETER)
