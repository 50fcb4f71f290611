"""Notify's plugin of the `parley` command line: its settings, and whether the push credentials are usable."""

from __future__ import annotations

from parley.common.cli import CommandError, CommandPlugin, HealthCheck
from parley.notify.clients.fcm import FcmClient
from parley.notify.mongo_schema import SCHEMA
from parley.notify.settings import NotifySettings


async def check_push(settings: NotifySettings) -> str:
    """Check the service account's private key. Raises CommandError if it cannot be read."""
    service_account = settings.fcm_service_account
    if service_account is None:
        return "off, since PARLEY_FCM_CREDENTIALS is not set"
    try:
        FcmClient(service_account, settings.fcm_url)
    except ValueError:
        raise CommandError("PARLEY_FCM_CREDENTIALS: the private key cannot be read") from None
    return f"FCM, project {service_account['project_id']}"


PLUGIN = CommandPlugin(
    service="notify",
    settings=NotifySettings,
    schema=SCHEMA,
    checks=(HealthCheck("push", check_push),),
    queues=("parley.notify.erasures", "parley.notify.access"),
)
