"""Personal data, put together: for the service, which erases by and by, and for the administrators' command."""

from __future__ import annotations

from parley.chat.admin_module import Administration
from parley.chat.messages.repository import MongoMessages
from parley.chat.privacy.remote_data_sources import AskElsewhere
from parley.chat.privacy.repository import MongoPersonalData
from parley.chat.privacy.service import PersonalData
from parley.chat.settings import ChatSettings
from parley.chat.uploads.storage import FolderStorage, Storage
from parley.chat.visitors.repository import MongoVisitors
from parley.common.messaging import Ask
from parley.common.mongodb import IdBlocks, Mongo, Outbox
from parley.common.runtime.clock import utc_now

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
        from parley.chat.uploads.s3_storage import S3Storage  # noqa: PLC0415 - only where it is used

        return S3Storage(
            settings.s3_endpoint,
            settings.s3_access_key,
            settings.s3_secret_key.get_secret_value(),
            settings.s3_bucket,
            secure=settings.s3_secure,
        )
    return FolderStorage(settings.storage_dir)
