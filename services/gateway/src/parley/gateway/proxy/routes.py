"""Adds the public route table to the router."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from parley.gateway.proxy.operator_handler import OperatorProxyHandler
from parley.gateway.proxy.public_handler import PublicProxyHandler
from parley.gateway.proxy.visitor_handler import VisitorProxyHandler
from parley.gateway.routes import PROXY_ROUTES, Credential, ProxyRoute, router_path

RouteHandler = Callable[[ProxyRoute, web.Request], Awaitable[web.StreamResponse]]


def add_proxy_routes(
    router: web.UrlDispatcher,
    operators: OperatorProxyHandler,
    visitors: VisitorProxyHandler,
    public: PublicProxyHandler,
) -> None:
    """Add each route with the handler of its credential; visitors' routes also answer CORS preflights."""
    handlers: dict[Credential, RouteHandler] = {
        Credential.OPERATOR: operators.handle,
        Credential.VISITOR: visitors.handle,
        Credential.PUBLIC: public.handle,
    }
    for route in PROXY_ROUTES:
        path = router_path(route.path)
        router.add_route(route.method, path, partial(handlers[route.credential], route))
        if route.credential is Credential.VISITOR:
            router.add_route("OPTIONS", path, visitors.handle_preflight)
