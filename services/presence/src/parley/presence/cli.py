"""What `parley` offers where presence is installed."""

from parley.common.cli.main import Offer
from parley.presence.mongo_schema import SCHEMA
from parley.presence.settings import PresenceSettings

OFFER = Offer(
    service="presence",
    settings=PresenceSettings,
    schema=SCHEMA,
    queues=("parley.presence.conversations", "parley.presence.access"),
)
