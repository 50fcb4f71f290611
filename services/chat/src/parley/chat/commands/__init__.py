"""What `parley` offers where chat is installed."""

from parley.chat.commands import api_keys, owners, sites, storage, visitors
from parley.chat.settings import ChatSettings
from parley.chat.store.schema import SCHEMA
from parley.common.command import Offer

OFFER = Offer(
    service="chat",
    settings=ChatSettings,
    schema=SCHEMA,
    commands=(*owners.COMMANDS, *sites.COMMANDS, *api_keys.COMMANDS, *visitors.COMMANDS),
    checks=storage.CHECKS,
    queues=("parley.chat.facts",),
)
