"""Every service's route table, built as the service builds it, with nothing started."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web
from pydantic import BaseModel

from parley.chat import bootstrap as chat
from parley.chat.settings import ChatSettings
from parley.common.http import TABLE, Route, Who
from parley.gateway.routes import FORWARDS, Credential, ProxyRoute
from parley.notify import bootstrap as notify
from parley.notify.settings import Settings as NotifySettings
from parley.presence.operators.handlers import OperatorHandlers
from parley.presence.routes import table as presence_table
from parley.presence.visitors.handlers import VisitorHandlers
from parley.translate import bootstrap as translate
from parley.translate.settings import TranslateSettings

_ANYWHERE = {
    "env": "development",
    "identity_secret": secrets.token_hex(32),
    "amqp_url": "amqp://nowhere.test/",
    "mongodb_uri": "mongodb://nowhere.test/?replicaSet=rs0",
}


@dataclass(frozen=True, slots=True)
class Public:
    """One public endpoint: what the gateway says of it, and what its service says."""

    forward: ProxyRoute
    route: Route

    @property
    def name(self) -> str:
        return f"{self.route.method} {self.route.path}"


def applications() -> dict[str, web.Application]:
    """The services' applications. Needs a running loop, since some make their clients at once."""
    return {
        "chat": chat.build(ChatSettings.model_validate(_ANYWHERE))[1],
        "notify": notify.Notify(NotifySettings.model_validate(_ANYWHERE)).app,
        "translate": translate.build(TranslateSettings.model_validate(_ANYWHERE))[1],
    }


def tables() -> dict[str, list[Route]]:
    """What each service serves, its errands for the gateway included."""
    nobody = cast("Any", None)
    presence = presence_table(OperatorHandlers(nobody), VisitorHandlers(nobody))
    return {**{name: app[TABLE] for name, app in applications().items()}, "presence": presence}


def public_routes() -> list[Public]:
    """Every endpoint of an operator or a visitor, as both sides describe it."""
    known = {(forward.method, forward.path): forward for forward in FORWARDS}
    return [
        Public(known[route.method, route.path], route)
        for table in tables().values()
        for route in table
        if route.who is not Who.GATEWAY
    ]


def forwards(*credentials: Credential) -> list[ProxyRoute]:
    return [forward for forward in FORWARDS if forward.credential in credentials]


def fields_of(model: type[BaseModel] | None) -> dict[str, Any]:
    """The fields of a body or a query, by the name that clients send."""
    return {field.alias or name: field for name, field in model.model_fields.items()} if model is not None else {}
