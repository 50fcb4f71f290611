"""Write the merged OpenAPI document to a file: built from the services' route tables, with no server running."""

import asyncio
import json
import secrets
import sys
from pathlib import Path
from typing import Any, cast

from aiohttp import web

from parley.chat import bootstrap as chat
from parley.chat.settings import ChatSettings
from parley.common.http import ROUTES_KEY, Route
from parley.common.http.openapi import build_openapi
from parley.gateway.openapi.document import build_public_openapi
from parley.gateway.routes import SERVICES
from parley.notify import bootstrap as notify
from parley.notify.settings import NotifySettings
from parley.presence.operators.handlers import OperatorHandlers
from parley.presence.routes import build_routes as build_presence_routes
from parley.presence.visitors.handlers import VisitorHandlers
from parley.translate import bootstrap as translate
from parley.translate.settings import TranslateSettings

# Valid settings whose servers do not exist: nothing connects while an application is only built.
_SETTINGS = {
    "env": "development",
    "identity_secret": secrets.token_hex(32),
    "amqp_url": "amqp://nowhere.test/",
    "mongodb_uri": "mongodb://nowhere.test/?replicaSet=rs0",
}


def build_applications() -> dict[str, web.Application]:
    """Build the services' applications and start nothing. Needs a running event loop: some create clients immediately.

    Presence is missing: its route table needs no application.
    """
    return {
        "chat": chat.build(ChatSettings.model_validate(_SETTINGS))[1],
        "notify": notify.build(NotifySettings.model_validate(_SETTINGS))[1],
        "translate": translate.build(TranslateSettings.model_validate(_SETTINGS))[1],
    }


def build_route_tables() -> dict[str, list[Route]]:
    """Build each service's routes, internal ones included. Needs a running event loop."""
    no_service = cast("Any", None)
    presence = build_presence_routes(OperatorHandlers(no_service), VisitorHandlers(no_service))
    return {**{name: app[ROUTES_KEY] for name, app in build_applications().items()}, "presence": presence}


async def build_document() -> dict[str, Any]:
    """Return the document that the gateway serves as `/api/v1/openapi.json`."""
    tables = build_route_tables()
    return build_public_openapi({name: build_openapi(tables[name]) for name in SERVICES})


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(asyncio.run(build_document())), encoding="utf-8")
