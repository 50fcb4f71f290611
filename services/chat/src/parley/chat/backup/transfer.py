"""Writes and reads backups: all databases at one moment, then the images and files that they name."""

from __future__ import annotations

import errno
import mimetypes
import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from bson import decode_file_iter

from parley.chat.backup.archive import ArchiveWriter, Manifest, read_entries, read_manifest
from parley.chat.backup.databases import SERVICES, InstallationDatabases
from parley.chat.files.model import object_name
from parley.chat.files.repository import COLLECTION as FILES
from parley.chat.uploads.ports import ObjectStorage
from parley.chat.uploads.repository import COLLECTION as UPLOADS
from parley.chat.uploads.storage import IMAGE_NAME
from parley.common.runtime.clock import to_rfc3339, utc_now

_IMAGES = "images"
_FILES = "files"
_FILE_NAME = re.compile(r"[0-9a-f]{32}\.file\Z")
_CHUNK_BYTES = 256 * 1024
_MAX_IN_MEMORY_BYTES = 16_000_000


class NotEmpty(Exception):
    """The databases of the installation have documents."""


class NotRestored(Exception):
    """Fewer documents or images than the backup has were written."""


class BackupTransfer:
    """Raises what pymongo and the storage of images raise."""

    def __init__(self, databases: InstallationDatabases, storage: ObjectStorage) -> None:
        self._databases = databases
        self._storage = storage

    async def write(self, path: Path) -> Manifest:
        """Write a backup. The services may run meanwhile. Raises OSError, also if the file exists."""
        archive = ArchiveWriter(path)
        try:
            created_at = to_rfc3339(utc_now())
            documents: dict[str, int] = {}
            names: list[str] = []
            files: list[tuple[str, int]] = []
            async with self._databases.snapshot() as session:
                for service, collection in await self._databases.list_collections():
                    with tempfile.SpooledTemporaryFile(_MAX_IN_MEMORY_BYTES, dir=str(path.parent)) as file:
                        key = f"{service}/{collection}"
                        documents[key] = await self._databases.copy_collection(session, service, collection, file)
                        size = file.tell()
                        file.seek(0)
                        if key == f"chat/{UPLOADS}":
                            names = [document["_id"] for document in decode_file_iter(file)]
                            file.seek(0)
                        elif key == f"chat/{FILES}":
                            complete = [document for document in decode_file_iter(file) if document["complete"]]
                            files = [(object_name(document["_id"]), document["bytes"]) for document in complete]
                            file.seek(0)
                        archive.add_file(f"{key}.bson", file, size)
            images = await self._add_images(archive, names)
            manifest = Manifest(created_at, documents, images, await self._add_files(archive, files))
            archive.finish(manifest)
        except BaseException:
            archive.discard()
            raise
        return manifest

    async def _add_images(self, archive: ArchiveWriter, names: list[str]) -> int:
        """Add the images; those that were erased since the databases were read are left out."""
        count = 0
        for name in names:
            image = await self._storage.get(name)
            if image is not None:
                archive.add(f"{_IMAGES}/{name}", image)
                count += 1
        return count

    async def _add_files(self, archive: ArchiveWriter, files: list[tuple[str, int]]) -> int:
        """Add the files, given by name and size; those that were removed since then are left out."""
        count = 0
        for name, size in files:
            chunks = await self._storage.read_range(name, 0, size)
            if chunks is None:
                continue
            with tempfile.SpooledTemporaryFile(_MAX_IN_MEMORY_BYTES) as content:
                async for chunk in chunks:
                    content.write(chunk)
                if content.tell() != size:
                    raise OSError(errno.EIO, "cannot be read completely", name)
                content.seek(0)
                archive.add_file(f"{_FILES}/{name}", content, size)
            count += 1
        return count

    async def restore(self, path: Path) -> Manifest:
        """Write a backup's content into empty databases. Raises NotABackup, NotEmpty, NotRestored, OSError."""
        manifest = read_manifest(path)
        occupied = await self._databases.find_occupied()
        if occupied is not None:
            raise NotEmpty(f"{occupied} has documents")
        counts: Counter[str] = Counter()
        for name, content in read_entries(path):
            folder, _, rest = name.partition("/")
            if folder == _IMAGES and IMAGE_NAME.match(rest):
                await self._restore_image(rest, content)
                counts[_IMAGES] += 1
            elif folder == _FILES and _FILE_NAME.match(rest):
                await self._storage.put_stream(rest, _read_chunks(content), "application/octet-stream")
                counts[_FILES] += 1
            elif folder in SERVICES and rest.endswith(".bson"):
                collection = rest.removesuffix(".bson")
                counts[f"{folder}/{collection}"] += await self._databases.fill_collection(folder, collection, content)
        expected = {**manifest.documents, _IMAGES: manifest.images, _FILES: manifest.files}
        missing = [key for key, count in expected.items() if counts[key] != count]
        if missing:
            raise NotRestored(f"not everything was restored: {', '.join(missing)}")
        return manifest

    async def _restore_image(self, name: str, content: IO[bytes]) -> None:
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        await self._storage.put(name, content.read(), media_type)


async def _read_chunks(content: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := content.read(_CHUNK_BYTES):
        yield chunk
