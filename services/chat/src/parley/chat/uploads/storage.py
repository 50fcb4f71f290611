"""Where images are kept: a folder by default, S3 or MinIO (`clients.s3`) where one is configured. Written once each."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path
from typing import Protocol

from parley.common.errors import Unavailable

NAME = re.compile(r"^[0-9a-f]{32}\.(jpg|png|gif|webp)$")
"""The only names there are: chosen by us, so that no path can be smuggled in."""


class Storage(Protocol):
    async def put(self, name: str, data: bytes, media: str) -> None:
        """Raises Unavailable."""

    async def get(self, name: str) -> bytes | None:
        """None when there is no such image. Raises Unavailable."""

    async def remove(self, name: str) -> None:
        """Also where there is no such image. Raises Unavailable."""


class FolderStorage:
    """Images in a local folder, two levels deep."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, name: str, data: bytes, media: str) -> None:
        try:
            await asyncio.to_thread(self._write, name, data)
        except OSError as exc:
            raise Unavailable("The image could not be stored.") from exc

    async def get(self, name: str) -> bytes | None:
        try:
            return await asyncio.to_thread(self._path(name).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise Unavailable("The image could not be read.") from exc

    async def remove(self, name: str) -> None:
        try:
            await asyncio.to_thread(self._path(name).unlink, missing_ok=True)
        except OSError as exc:
            raise Unavailable("The image could not be removed.") from exc

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _write(self, name: str, data: bytes) -> None:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
