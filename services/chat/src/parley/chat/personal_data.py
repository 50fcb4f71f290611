"""Personal data, put together: for the service, which erases by and by, and for the administrators' command."""

from __future__ import annotations

from parley.chat.admin import Administration
from parley.chat.clients.elsewhere import AskElsewhere
from parley.chat.clients.storage import FolderStorage, Storage
from parley.chat.domain.personal_data import PersonalData
from parley.chat.settings import ChatSettings
from parley.chat.store.messages import MongoMessages
from parley.chat.store.personal_data import MongoPersonalData
from parley.chat.store.visitors import MongoVisitors
from parley.common.amqp import Ask
from parley.common.clock import utc_now
from parley.common.mongo import IdBlocks, Mongo, Outbox

HOLDERS = ("presence", "translate", "notify")
"""The other services that hold something of visitors."""


def personal_data_of(
    settings: ChatSettings, mongo: Mongo, outbox: Outbox, administration: Administration, asks: dict[str, Ask]
) -> PersonalData:
    """The use case over these; `asks` has an asking session for each of HOLDERS."""
    return PersonalData(
        MongoPersonalData(mongo, outbox, MongoMessages(mongo), MongoVisitors(mongo), settings.image_base),
        storage_of(settings),
        AskElsewhere({name: asks[name] for name in HOLDERS}),
        administration.sites,
        administration.audit,
        utc_now,
        IdBlocks(mongo, "erasure").next,
    )


def storage_of(settings: ChatSettings) -> Storage:
    """Where images are kept."""
    if settings.s3_endpoint and settings.s3_access_key and settings.s3_secret_key:
        from parley.chat.clients.s3 import S3Storage  # noqa: PLC0415 - only where it is used

        return S3Storage(
            settings.s3_endpoint,
            settings.s3_access_key,
            settings.s3_secret_key.get_secret_value(),
            settings.s3_bucket,
            secure=settings.s3_secure,
        )
    return FolderStorage(settings.storage_dir)
