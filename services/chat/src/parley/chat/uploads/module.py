"""Wiring of image uploads."""

from __future__ import annotations

from parley.chat.identification.late_writes import LateWrites
from parley.chat.settings import ChatSettings
from parley.chat.uploads.handlers import UploadHandlers
from parley.chat.uploads.image_sanitizer import WorkerImageSanitizer
from parley.chat.uploads.ports import ImageStorage
from parley.chat.uploads.repository import MongoUploadRepository
from parley.chat.uploads.service import UploadService
from parley.chat.visitors.service import VisitorService
from parley.common.mongodb import Mongo
from parley.common.runtime.clock import utc_now


def build_upload_handlers(
    settings: ChatSettings, storage: ImageStorage, mongo: Mongo, visitors: VisitorService, late_writes: LateWrites
) -> UploadHandlers:
    repository = MongoUploadRepository(mongo, utc_now, settings.silent_visitor_lifetime)
    uploads = UploadService(WorkerImageSanitizer(), storage, repository, settings.image_base)
    return UploadHandlers(uploads, visitors, late_writes)
