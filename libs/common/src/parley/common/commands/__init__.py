"""What `parley` can do in every image: dead letters, schemas, the check of the configuration, the variables."""

from parley.common.command import Offer
from parley.common.commands import config, dead_letters, environment, schema

OFFER = Offer(
    service="common", commands=(*dead_letters.COMMANDS, *schema.COMMANDS, *config.COMMANDS, *environment.COMMANDS)
)
