"""The composition root of the gateway: what is made of what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from parley.common.auth.identity import IdentitySigner
from parley.common.http.instrumentation import end_where_streams_begin
from parley.common.messaging import Bus
from parley.common.observability import tracing
from parley.common.runtime.service import HEADER_BYTES, Service
from parley.common.runtime.service import main as run_service
from parley.common.runtime.settings import load
from parley.gateway.auth.handlers import Accounts
from parley.gateway.auth.jwks import KeySet
from parley.gateway.auth.jwks_client import JwksDocument
from parley.gateway.auth.operators import Operators
from parley.gateway.auth.tokens import SecretKey, TokenIssuer, TokenVerifier
from parley.gateway.auth.visitors import Visitors
from parley.gateway.consumers import drops
from parley.gateway.health import Health
from parley.gateway.internal_api import Errands
from parley.gateway.middleware.access_log import AccessLog
from parley.gateway.middleware.client_ip import Addresses
from parley.gateway.middleware.request import outermost
from parley.gateway.openapi.handlers import Documents
from parley.gateway.proxy.operator_routes import OperatorRoutes
from parley.gateway.proxy.public_routes import PublicRoutes
from parley.gateway.proxy.reverse_proxy import Forwarder
from parley.gateway.proxy.upstreams import Upstream
from parley.gateway.proxy.visitor_routes import VisitorRoutes
from parley.gateway.rate_limit.limiter import Limits
from parley.gateway.rate_limit.stream_limiter import Streams
from parley.gateway.routes import FORWARDS, Credential, Forward, pattern
from parley.gateway.server import Door
from parley.gateway.settings import GatewaySettings
from parley.gateway.static_files import Pages

REMEMBERED_SECONDS = 30.0
UNHEARD_SECONDS = 2.0
"""How long an answer is believed while the gateway cannot hear that it became untrue."""

_KEEPALIVE_SECONDS = 75.0
_LONGEST_SPREAD = 5.0

Answer = Callable[[Forward, web.Request], Awaitable[web.StreamResponse]]


class Gateway:
    """Everything the gateway is made of."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.settings = settings
        self.service = Service("gateway", settings)
        self.access_log = self.service.add(AccessLog(enabled=settings.access_log))
        self.bus = self.service.add(Bus(settings.amqp_url))
        self.upstreams = {
            "chat": Upstream("chat", settings.chat_urls),
            "presence": Upstream("presence", settings.presence_urls),
            "notify": Upstream("notify", settings.notify_urls),
            "translate": Upstream("translate", settings.translate_urls),
        }
        signer = IdentitySigner(settings.identity_secret)
        self.errands = Errands(self.upstreams, signer)
        self.operators = Operators(verifier(settings), self.errands, signer, self._believed_for)
        self.visitors = Visitors(self.errands, signer, self._believed_for)
        self.listener = drops(self.operators, self.visitors)
        self.bus.add(self.listener)
        self.addresses = Addresses(settings.trusted_proxies)
        self.limits = Limits(settings.limits())
        self.streams = Streams(settings.streams_per_address, min(_LONGEST_SPREAD, settings.stop_seconds / 3))
        forwarder = Forwarder(self.upstreams, self.streams)
        shared = (self.addresses, self.limits, self.streams, forwarder)
        self.operator_routes = OperatorRoutes(self.operators, *shared)
        self.visitor_routes = VisitorRoutes(self.visitors, *shared)
        self.public_routes = PublicRoutes(signer, self.addresses, self.limits, forwarder)
        self.accounts = Accounts(self.errands, self.operators, issuer(settings), self.addresses, self.limits)

    def application(self) -> web.Application:
        """The public door's routes."""
        app = web.Application(
            middlewares=[outermost(self.access_log, trusted=self.settings.trust_traceparent)],
            handler_args={"keepalive_timeout": _KEEPALIVE_SECONDS, "auto_decompress": False},
        )
        if tracing.on():
            end_where_streams_begin(app)
        self._add_forwards(app.router)
        app.router.add_route("POST", "/api/v1/auth/login", self.accounts.login)
        app.router.add_route("POST", "/api/v1/auth/refresh", self.accounts.refresh)
        app.router.add_route("POST", "/api/v1/auth/logout", self.accounts.logout)
        app.router.add_route("POST", "/api/v1/invitations/accept", self.accounts.accept_invitation)
        app.router.add_route("GET", "/healthz", Health(self.errands, self.service.faults).show)
        documents = Documents(self.errands)
        app.router.add_route("GET", "/api/v1/openapi.json", documents.openapi)
        app.router.add_route("GET", "/docs", documents.page)
        app.router.add_route("GET", r"/docs/{file:page\.(?:js|css)}", documents.page)
        Pages(self.settings.web_dir).add_to(app.router)
        app.on_shutdown.append(self._end_streams)
        app.on_cleanup.append(self._close)
        return app

    def _add_forwards(self, router: web.UrlDispatcher) -> None:
        answers: dict[Credential, Answer] = {
            Credential.OPERATOR: self.operator_routes.answer,
            Credential.VISITOR: self.visitor_routes.answer,
            Credential.PUBLIC: self.public_routes.answer,
        }
        for route in FORWARDS:
            router.add_route(route.method, pattern(route.path), partial(answers[route.credential], route))
            if route.credential is Credential.VISITOR:
                router.add_route("OPTIONS", pattern(route.path), self.visitor_routes.preflight)

    def _believed_for(self) -> float:
        return REMEMBERED_SECONDS if self.listener.running else UNHEARD_SECONDS

    async def _end_streams(self, _app: web.Application) -> None:
        self.streams.end_all()

    async def _close(self, _app: web.Application) -> None:
        await self.operators.stop()
        await self.visitors.stop()
        for upstream in self.upstreams.values():
            upstream.close()


def verifier(settings: GatewaySettings) -> TokenVerifier:
    """Checks tokens with the shared secret, or with an identity provider's keys."""
    if settings.jwks_url is None:
        assert settings.jwt_secret is not None
        secret = SecretKey(settings.jwt_secret)
        return TokenVerifier(secret, settings.jwt_algorithm, settings.jwt_issuer, settings.jwt_audience)
    keys = KeySet(JwksDocument(settings.jwks_url), settings.jwt_algorithm, lambda: checks.forget_keys())  # noqa: PLW0108 - named below
    checks = TokenVerifier(keys, settings.jwt_algorithm, settings.jwt_issuer, settings.jwt_audience)
    return checks


def issuer(settings: GatewaySettings) -> TokenIssuer | None:
    """Makes tokens; None where an identity provider does."""
    if settings.jwt_secret is None:
        return None
    return TokenIssuer(settings.jwt_secret, settings.jwt_issuer, settings.jwt_audience, settings.token_seconds)


async def serve(settings: GatewaySettings) -> None:
    """Run the gateway until it is told to stop."""
    gateway = Gateway(settings)
    await gateway.service.run(gateway.application(), Door, header_bytes=HEADER_BYTES)


def main() -> None:
    """The entry point of `parley-gateway`."""
    settings = load(GatewaySettings)
    run_service("gateway", settings, serve(settings))
