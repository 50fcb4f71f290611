"""What `parley` offers where translate is installed."""

from parley.common.cli.main import Offer
from parley.translate.mongo_schema import SCHEMA
from parley.translate.settings import TranslateSettings

OFFER = Offer(
    service="translate",
    settings=TranslateSettings,
    schema=SCHEMA,
    queues=("parley.translate.messages", "parley.translate.conversations"),
)
