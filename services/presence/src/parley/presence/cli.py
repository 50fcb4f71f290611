"""Presence's plugin of the `parley` command line: its settings, queues and schema."""

from parley.common.cli import CommandPlugin
from parley.presence.mongo_schema import SCHEMA
from parley.presence.settings import PresenceSettings

PLUGIN = CommandPlugin(
    service="presence",
    settings=PresenceSettings,
    schema=SCHEMA,
    queues=("parley.presence.conversations", "parley.presence.access"),
)
