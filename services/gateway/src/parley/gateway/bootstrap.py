"""The composition root: builds the gateway from its settings."""

from __future__ import annotations

import hashlib
from functools import partial

from aiohttp import web

from parley.common.auth.identity import IdentitySigner
from parley.common.http.instrumentation import end_spans_at_stream_start
from parley.common.messaging import BrokerConnection
from parley.common.observability import tracing
from parley.common.runtime.service import MAX_HEADER_BYTES, Service
from parley.common.runtime.service import main as run_service
from parley.common.runtime.settings import load_settings
from parley.gateway.auth.handlers import AuthHandlers
from parley.gateway.auth.jwks import JwksCache
from parley.gateway.auth.jwks_client import JwksClient
from parley.gateway.auth.operators import OperatorAuthenticator
from parley.gateway.auth.routes import add_auth_routes
from parley.gateway.auth.tokens import SharedSecret, TokenIssuer, TokenVerifier
from parley.gateway.auth.visitors import VisitorAuthenticator
from parley.gateway.consumers import build_invalidation_subscriber
from parley.gateway.health import HealthHandler
from parley.gateway.middleware.access_log import AccessLog
from parley.gateway.middleware.request import request_middleware
from parley.gateway.openapi.handlers import OpenApiHandlers
from parley.gateway.proxy.operator_handler import OperatorProxyHandler
from parley.gateway.proxy.placement import Placements
from parley.gateway.proxy.public_handler import PublicProxyHandler
from parley.gateway.proxy.reverse_proxy import ReverseProxy
from parley.gateway.proxy.routes import add_proxy_routes
from parley.gateway.proxy.visitor_handler import VisitorProxyHandler
from parley.gateway.rate_limit.concurrency_limiter import ConcurrencyLimiter
from parley.gateway.rate_limit.limiter import RateLimiter
from parley.gateway.rate_limit.new_session_limiter import NewSessionLimiter
from parley.gateway.rate_limit.stream_limiter import StreamLimiter
from parley.gateway.server.client_connections import ClientConnections
from parley.gateway.server.client_ip import ClientIpResolver
from parley.gateway.server.header_timeout import HeaderTimeoutRunner
from parley.gateway.server.upload_limits import UploadLimits
from parley.gateway.settings import GatewaySettings
from parley.gateway.static.handlers import StaticFiles
from parley.gateway.timeouts import KEEPALIVE_SECONDS, MAX_STREAM_DRAIN_SECONDS
from parley.gateway.upstream.host_resolver import HostResolver
from parley.gateway.upstream.internal_api import InternalApiClient
from parley.gateway.upstream.upstream import Upstream
from parley.gateway.usage_exchange import UsageExchange


def build(settings: GatewaySettings) -> tuple[Service, web.Application, ClientConnections]:
    """Build the service, its public application and its connections; nothing connects until the service runs."""
    service = Service("gateway", settings)
    access_log = service.add(AccessLog(enabled=settings.access_log))
    broker = service.add(BrokerConnection(settings.amqp_url, log_partitions=settings.log_partitions), optional=True)

    signer = IdentitySigner(settings.identity_secret)
    resolver = HostResolver(settings.hosts_file)
    upstreams = {
        name: service.add(Upstream(name, urls, resolver.lookup)) for name, urls in settings.upstream_urls().items()
    }
    internal_api = InternalApiClient(upstreams, signer)
    operators = OperatorAuthenticator(build_verifier(settings), internal_api, signer, lambda: invalidation.running)
    visitors = VisitorAuthenticator(internal_api, signer, lambda: invalidation.running)
    invalidation = build_invalidation_subscriber(operators, visitors)
    broker.add(invalidation)

    limiter = RateLimiter(settings.limits())
    new_sessions = NewSessionLimiter(limiter)
    broker.add(_share_limits(settings, limiter, new_sessions))
    streams = StreamLimiter(settings.streams_per_address, min(MAX_STREAM_DRAIN_SECONDS, settings.stop_seconds / 3))
    proxy = ReverseProxy(upstreams, streams)
    placements = Placements(settings.log_partitions)
    uploads = UploadLimits(settings.files_max_bytes)
    client_ips = ClientIpResolver(settings.trusted_proxies)
    connections = ClientConnections(settings.connections_per_address, client_ips)
    service.add(connections.build_check())

    app = _build_app(settings, access_log, client_ips)
    add_proxy_routes(
        app.router,
        OperatorProxyHandler(operators, limiter, streams, proxy, placements, uploads),
        VisitorProxyHandler(visitors, limiter, new_sessions, streams, proxy, placements, uploads),
        PublicProxyHandler(signer, limiter, proxy),
    )
    add_auth_routes(app.router, AuthHandlers(internal_api, operators, build_issuer(settings), limiter))
    app.router.add_route("GET", "/healthz", HealthHandler(internal_api, service.unready_reasons).get_health)
    OpenApiHandlers(internal_api).add_routes(app.router)
    StaticFiles(settings.web_dir).add_routes(app.router)

    async def drain_streams(_app: web.Application) -> None:
        streams.drain()

    async def close(_app: web.Application) -> None:
        await operators.stop()
        await visitors.stop()

    app.on_shutdown.append(drain_streams)
    app.on_cleanup.append(close)
    return service, app, connections


def _build_app(settings: GatewaySettings, access_log: AccessLog, client_ips: ClientIpResolver) -> web.Application:
    """Build the public application, without routes."""
    app = web.Application(
        middlewares=[
            request_middleware(
                access_log,
                client_ips,
                ConcurrencyLimiter(settings.connections_per_address, "requests"),
                trust_traceparent=settings.trust_traceparent,
                hsts_seconds=settings.hsts_seconds,
            )
        ],
        handler_args={"keepalive_timeout": KEEPALIVE_SECONDS, "auto_decompress": False},
    )
    if tracing.enabled():
        end_spans_at_stream_start(app)
    return app


def _share_limits(settings: GatewaySettings, limiter: RateLimiter, new_sessions: NewSessionLimiter) -> UsageExchange:
    """Count together with the gateways of the same installation that have the same limits."""
    key = settings.identity_secret.encode()[:64]
    group = hashlib.blake2b(repr(settings.limits()).encode(), key=key, digest_size=8).hexdigest()
    exchange = UsageExchange(group, limiter.add_usage, new_sessions.add_known)
    limiter.on_usage, new_sessions.on_admitted = exchange.report_usage, exchange.report_session
    return exchange


def build_verifier(settings: GatewaySettings) -> TokenVerifier:
    """Build the verifier of tokens, with the shared secret or with the keys of an identity provider."""
    if settings.jwt_secret is not None:
        secret = SharedSecret(settings.jwt_secret)
        return TokenVerifier(secret, settings.jwt_algorithm, settings.jwt_issuer, settings.jwt_audience)
    assert settings.jwks_url is not None

    def on_change() -> None:
        verifier.clear()

    keys = JwksCache(JwksClient(settings.jwks_url).fetch, settings.jwt_algorithm, on_change)
    verifier = TokenVerifier(keys, settings.jwt_algorithm, settings.jwt_issuer, settings.jwt_audience)
    return verifier


def build_issuer(settings: GatewaySettings) -> TokenIssuer | None:
    """Build the issuer of tokens; None if an identity provider issues them."""
    if settings.jwt_secret is None:
        return None
    return TokenIssuer(settings.jwt_secret, settings.jwt_issuer, settings.jwt_audience, settings.token_seconds)


async def serve(settings: GatewaySettings) -> None:
    """Run the gateway until SIGTERM or SIGINT."""
    service, app, connections = build(settings)
    await service.run(app, partial(HeaderTimeoutRunner, connections=connections), max_header_bytes=MAX_HEADER_BYTES)


def main() -> None:
    """The entry point of `parley-gateway`."""
    settings = load_settings(GatewaySettings)
    run_service("gateway", settings, serve(settings))
