"""Wiring of image uploads."""

from __future__ import annotations

from parley.chat.settings import ChatSettings
from parley.chat.uploads.handlers import UploadHandlers
from parley.chat.uploads.image_sanitizer import WorkerImageSanitizer
from parley.chat.uploads.repository import MongoUploadRepository
from parley.chat.uploads.service import UploadService
from parley.chat.uploads.storage import create_image_storage
from parley.chat.uploads.storage_check import StorageCheck
from parley.chat.visitors.service import VisitorService
from parley.common.mongodb import Mongo
from parley.common.runtime.clock import utc_now


def build_storage_check(settings: ChatSettings) -> StorageCheck:
    return StorageCheck(create_image_storage(settings))


def build_upload_handlers(settings: ChatSettings, mongo: Mongo, visitors: VisitorService) -> UploadHandlers:
    repository = MongoUploadRepository(mongo, utc_now, settings.silent_visitor_lifetime)
    uploads = UploadService(WorkerImageSanitizer(), create_image_storage(settings), repository, settings.image_base)
    return UploadHandlers(uploads, visitors)
