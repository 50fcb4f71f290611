"""What `parley` offers where presence is installed."""

from parley.common.command import Offer
from parley.presence.settings import PresenceSettings
from parley.presence.store.schema import SCHEMA

OFFER = Offer(
    service="presence",
    settings=PresenceSettings,
    schema=SCHEMA,
    queues=("parley.presence.conversations", "parley.presence.access"),
)
