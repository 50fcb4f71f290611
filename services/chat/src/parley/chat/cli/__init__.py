"""Chat's plugin of the `parley` command line: its commands, checks, queues and schema."""

from parley.chat.cli import answers, api_keys, backups, owners, search, sites, storage, visitors
from parley.chat.mongo_schema import SCHEMA
from parley.chat.settings import ChatSettings
from parley.common.cli import CommandPlugin

PLUGIN = CommandPlugin(
    service="chat",
    settings=ChatSettings,
    schema=SCHEMA,
    commands=(
        *owners.COMMANDS,
        *sites.COMMANDS,
        *api_keys.COMMANDS,
        *visitors.COMMANDS,
        *search.COMMANDS,
        *answers.COMMANDS,
        *backups.COMMANDS,
    ),
    checks=storage.CHECKS,
    queues=("parley.chat.facts", "parley.chat.assignments", "parley.chat.search"),
)
