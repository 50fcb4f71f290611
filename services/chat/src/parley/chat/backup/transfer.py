"""Writes and reads backups: all databases at one moment, then the images that they name."""

from __future__ import annotations

import mimetypes
import tempfile
from collections import Counter
from pathlib import Path
from typing import IO

from bson import decode_file_iter

from parley.chat.backup.archive import ArchiveWriter, Manifest, read_entries, read_manifest
from parley.chat.backup.databases import SERVICES, InstallationDatabases
from parley.chat.uploads.ports import ImageStorage
from parley.chat.uploads.repository import COLLECTION as UPLOADS
from parley.chat.uploads.storage import IMAGE_NAME
from parley.common.runtime.clock import to_rfc3339, utc_now

_IMAGES = "images"
_MAX_IN_MEMORY_BYTES = 16_000_000


class NotEmpty(Exception):
    """The databases of the installation have documents."""


class NotRestored(Exception):
    """Fewer documents or images than the backup has were written."""


class BackupTransfer:
    """Raises what pymongo and the storage of images raise."""

    def __init__(self, databases: InstallationDatabases, images: ImageStorage) -> None:
        self._databases = databases
        self._images = images

    async def write(self, path: Path) -> Manifest:
        """Write a backup. The services may run meanwhile. Raises OSError, also if the file exists."""
        archive = ArchiveWriter(path)
        try:
            created_at = to_rfc3339(utc_now())
            documents: dict[str, int] = {}
            names: list[str] = []
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
                        archive.add_file(f"{key}.bson", file, size)
            manifest = Manifest(created_at, documents, await self._add_images(archive, names))
            archive.finish(manifest)
        except BaseException:
            archive.discard()
            raise
        return manifest

    async def _add_images(self, archive: ArchiveWriter, names: list[str]) -> int:
        """Add the images; those that were erased since the databases were read are left out."""
        count = 0
        for name in names:
            image = await self._images.get(name)
            if image is not None:
                archive.add(f"{_IMAGES}/{name}", image)
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
            elif folder in SERVICES and rest.endswith(".bson"):
                collection = rest.removesuffix(".bson")
                counts[f"{folder}/{collection}"] += await self._databases.fill_collection(folder, collection, content)
        expected = {**manifest.documents, _IMAGES: manifest.images}
        missing = [key for key, count in expected.items() if counts[key] != count]
        if missing:
            raise NotRestored(f"not everything was restored: {', '.join(missing)}")
        return manifest

    async def _restore_image(self, name: str, content: IO[bytes]) -> None:
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        await self._images.put(name, content.read(), media_type)
