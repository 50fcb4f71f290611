"""Wiring of files."""

from __future__ import annotations

from parley.chat.files.clamd import ClamdScanner
from parley.chat.files.model import FilePolicy
from parley.chat.files.ports import FileStorage
from parley.chat.files.repository import MongoFileRepository
from parley.chat.files.service import FileService
from parley.chat.settings import ChatSettings
from parley.common.mongodb import Mongo
from parley.common.runtime.clock import utc_now


def build_file_service(settings: ChatSettings, storage: FileStorage, mongo: Mongo) -> FileService:
    return FileService(
        storage,
        MongoFileRepository(mongo, utc_now, settings.silent_visitor_lifetime),
        ClamdScanner(settings.clamd_address) if settings.clamd_address else None,
        FilePolicy(frozenset(settings.files_kinds), settings.files_max_bytes),
        settings.files_base,
        utc_now,
    )
