"""Write the merged OpenAPI document to a file: built from the services' route tables, with no server running."""

import asyncio
import json
import secrets
import sys
from pathlib import Path
from typing import Any, cast

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


async def build_document() -> dict[str, Any]:
    """Return the document that the gateway serves as `/api/v1/openapi.json`.

    It is a coroutine because some clients need a running event loop when they are created.
    """
    no_service = cast("Any", None)
    tables: dict[str, list[Route]] = {
        "chat": chat.build(ChatSettings.model_validate(_SETTINGS))[1][ROUTES_KEY],
        "notify": notify.build(NotifySettings.model_validate(_SETTINGS))[1][ROUTES_KEY],
        "presence": build_presence_routes(OperatorHandlers(no_service), VisitorHandlers(no_service)),
        "translate": translate.build(TranslateSettings.model_validate(_SETTINGS))[1][ROUTES_KEY],
    }
    return build_public_openapi({name: build_openapi(tables[name]) for name in SERVICES})


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(asyncio.run(build_document())), encoding="utf-8")
