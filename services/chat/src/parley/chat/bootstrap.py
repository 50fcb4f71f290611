"""The composition root of chat: what the service consists of."""

from __future__ import annotations

from aiohttp import web

from parley.chat.backends import add_backends
from parley.chat.features import Features
from parley.chat.periodic_tasks import add_periodic_tasks
from parley.chat.routes import build_routes
from parley.chat.settings import ChatSettings
from parley.chat.subscriptions import add_subscriptions
from parley.common.auth.identity import IdentitySigner
from parley.common.http import build_app
from parley.common.mongodb import TRANSIENT_ERRORS, MongoIdempotencyStore
from parley.common.runtime.service import Service
from parley.common.runtime.service import main as run_service
from parley.common.runtime.settings import load_settings


def build(settings: ChatSettings) -> tuple[Service, web.Application]:
    """Create the service and its HTTP application, without starting them."""
    service = Service("chat", settings)
    backends = add_backends(service, settings)
    features = Features(backends, settings)
    features.add_to(service)
    add_periodic_tasks(service, features)
    add_subscriptions(backends, features)
    app = build_app(
        build_routes(features),
        signer=IdentitySigner(settings.identity_secret),
        transient_errors=TRANSIENT_ERRORS,
        idempotency=MongoIdempotencyStore(backends.mongo),
        unready_reasons=service.unready_reasons,
    )
    app.router.add_get("/uploads/{name}", features.uploads.deliver)
    app.router.add_get("/files/{file_id}/{filename}", features.file_handlers.deliver)
    return service, app


async def serve(settings: ChatSettings) -> None:
    """Run until SIGTERM or SIGINT."""
    service, app = build(settings)
    await service.run(app)


def main() -> None:
    settings = load_settings(ChatSettings)
    run_service("chat", settings, serve(settings))
