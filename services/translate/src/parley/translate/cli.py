"""Translate's plugin of the `parley` command line: its settings, queues and schema."""

from parley.common.cli import CommandPlugin
from parley.translate.mongo_schema import SCHEMA
from parley.translate.settings import TranslateSettings

PLUGIN = CommandPlugin(
    service="translate",
    settings=TranslateSettings,
    schema=SCHEMA,
    queues=("parley.translate.messages", "parley.translate.backlog", "parley.translate.conversations"),
)
