"""What `parley` offers where translate is installed."""

from parley.common.command import Offer
from parley.translate.settings import TranslateSettings
from parley.translate.store.schema import SCHEMA

OFFER = Offer(
    service="translate",
    settings=TranslateSettings,
    schema=SCHEMA,
    queues=("parley.translate.messages", "parley.translate.conversations"),
)
