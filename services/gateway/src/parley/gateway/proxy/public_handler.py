"""Handler of the routes without a credential: uploaded images, whose names cannot be guessed."""

from __future__ import annotations

from aiohttp import web

from parley.common.auth.identity import GatewayCaller, IdentitySigner
from parley.gateway.auth.identity_cache import IdentityCache
from parley.gateway.proxy.reverse_proxy import ProxyRequest, ReverseProxy
from parley.gateway.rate_limit.limiter import RateLimiter
from parley.gateway.rate_limit.limits import RateLimitScope
from parley.gateway.routes import ProxyRoute
from parley.gateway.server.client_ip import rate_limit_key
from parley.gateway.server.request_keys import CLIENT_IP
from parley.gateway.upstream.replica_selection import ANYWHERE


class PublicProxyHandler:
    """Forwards requests in the gateway's own name."""

    def __init__(self, signer: IdentitySigner, limiter: RateLimiter, proxy: ReverseProxy) -> None:
        self._identities: IdentityCache[str] = IdentityCache(signer, 64 * 1024)
        self._limiter = limiter
        self._proxy = proxy

    async def handle(self, route: ProxyRoute, request: web.Request) -> web.StreamResponse:
        self._limiter.acquire(RateLimitScope.ADDRESS, route.rate_limit, rate_limit_key(request[CLIENT_IP]))
        identity = self._identities.get("gateway", None, GatewayCaller)
        return await self._proxy.forward(ProxyRequest(request, route, identity, "", ANYWHERE))
