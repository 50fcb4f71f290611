"""The commands that every image has: dead letters, schemas, configuration check, reference of variables."""

from parley.common.cli.commands import config, dead_letters, environment, schema
from parley.common.cli.plugins import CommandPlugin

PLUGIN = CommandPlugin(
    service="common", commands=(*dead_letters.COMMANDS, *schema.COMMANDS, *config.COMMANDS, *environment.COMMANDS)
)
