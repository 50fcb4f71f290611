"""What `parley` can do in every image: dead letters, schemas, the check of the configuration, the variables."""

from parley.common.cli import config, dead_letters, environment, schema
from parley.common.cli.main import Offer

OFFER = Offer(
    service="common", commands=(*dead_letters.COMMANDS, *schema.COMMANDS, *config.COMMANDS, *environment.COMMANDS)
)
