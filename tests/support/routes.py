"""Every service's route table, built as the service builds it, without starting anything."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web
from pydantic import BaseModel

from parley.chat import bootstrap as chat
from parley.chat.settings import ChatSettings
from parley.common.http import ROUTES_KEY, CallerType, Route
from parley.gateway.routes import PROXY_ROUTES, Credential, ProxyRoute
from parley.notify import bootstrap as notify
from parley.notify.settings import NotifySettings
from parley.presence.operators.handlers import OperatorHandlers
from parley.presence.routes import build_routes as build_presence_routes
from parley.presence.visitors.handlers import VisitorHandlers
from parley.translate import bootstrap as translate
from parley.translate.settings import TranslateSettings

_SETTINGS = {
    "env": "development",
    "identity_secret": secrets.token_hex(32),
    "amqp_url": "amqp://nowhere.test/",
    "mongodb_uri": "mongodb://nowhere.test/?replicaSet=rs0",
}


@dataclass(frozen=True, slots=True)
class PublicEndpoint:
    """One public endpoint: the gateway's route and the service's route."""

    forward: ProxyRoute
    route: Route

    @property
    def name(self) -> str:
        return f"{self.route.method} {self.route.path}"


def applications() -> dict[str, web.Application]:
    """The services' applications. Needs a running loop, since some make their clients at once."""
    return {
        "chat": chat.build(ChatSettings.model_validate(_SETTINGS))[1],
        "notify": notify.build(NotifySettings.model_validate(_SETTINGS))[1],
        "translate": translate.build(TranslateSettings.model_validate(_SETTINGS))[1],
    }


def route_tables() -> dict[str, list[Route]]:
    """What each service serves, its errands for the gateway included."""
    nobody = cast("Any", None)
    presence = build_presence_routes(OperatorHandlers(nobody), VisitorHandlers(nobody))
    return {**{name: app[ROUTES_KEY] for name, app in applications().items()}, "presence": presence}


def public_endpoints() -> list[PublicEndpoint]:
    """Return every endpoint for operators and visitors, with both routes."""
    known = {(forward.method, forward.path): forward for forward in PROXY_ROUTES}
    return [
        PublicEndpoint(known[route.method, route.path], route)
        for table in route_tables().values()
        for route in table
        if route.caller_type is not CallerType.GATEWAY
    ]


def proxy_routes(*credentials: Credential) -> list[ProxyRoute]:
    return [forward for forward in PROXY_ROUTES if forward.credential in credentials]


def fields_of(model: type[BaseModel] | None) -> dict[str, Any]:
    """Return the fields of a body or a query, by the name that clients send."""
    return {field.alias or name: field for name, field in model.model_fields.items()} if model is not None else {}
