"""What `parley` offers where notify is installed: its settings, and whether the key for pushes can be used."""

from __future__ import annotations

from parley.common.cli.main import Check, Offer, Refused
from parley.notify.mongo_schema import SCHEMA
from parley.notify.push.fcm import Fcm
from parley.notify.settings import Settings


async def check_push(settings: Settings) -> str:
    """Raises Refused where the service account's private key cannot be read."""
    key = settings.fcm_key
    if key is None:
        return "off, since PARLEY_FCM_CREDENTIALS is not set"
    try:
        Fcm(key, settings.fcm_url)
    except ValueError:
        raise Refused("PARLEY_FCM_CREDENTIALS: the private key cannot be read") from None
    return f"FCM, project {key['project_id']}"


OFFER = Offer(
    service="notify",
    settings=Settings,
    schema=SCHEMA,
    checks=(Check("push", check_push),),
    queues=("parley.notify.erasures",),
)
