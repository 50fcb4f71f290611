"""The file of a backup: a gzipped tar of a manifest, the collections as BSON, the images and the files.

Collections have mongodump's own layout (`<service>/<collection>.bson`, one document after the other), so that other
tools can read them. The manifest is written last: a file without it is not complete.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

FORMAT = 1
_MANIFEST = "manifest.json"


class NotABackup(Exception):
    """The file is no backup of a version that this code reads, or not complete."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup contains."""

    created_at: str
    documents: dict[str, int]
    """By `<service>/<collection>`."""
    images: int
    files: int = 0
    """Files besides images. None in backups of earlier versions."""


class ArchiveWriter:
    """Writes a backup. `path` must not exist; only its owner may read it."""

    def __init__(self, path: Path) -> None:
        file = path.open("xb")
        path.chmod(0o600)
        self._tar = tarfile.open(fileobj=file, mode="w:gz", compresslevel=5)  # noqa: SIM115 - closed by `close`
        self._file = file
        self._path = path

    def add_file(self, name: str, content: IO[bytes], size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        self._tar.addfile(entry, content)

    def add(self, name: str, content: bytes) -> None:
        self.add_file(name, io.BytesIO(content), len(content))

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest and close the file."""
        document = {
            "format": FORMAT,
            "created_at": manifest.created_at,
            "documents": manifest.documents,
            "images": manifest.images,
            "files": manifest.files,
        }
        self.add(_MANIFEST, orjson.dumps(document, option=orjson.OPT_INDENT_2))
        self.close()

    def discard(self) -> None:
        """Close and remove the file: a part of a backup is none."""
        self.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        self._tar.close()
        self._file.close()


def read_manifest(path: Path) -> Manifest:
    """Read the manifest, which is at the end. Raises NotABackup, OSError."""
    try:
        with tarfile.open(path, "r:gz") as tar:
            last = None
            for entry in tar:
                last = entry
            if last is None or last.name != _MANIFEST:
                raise NotABackup("it is not complete")
            file = tar.extractfile(last)
            assert file is not None, "a regular file"
            document: dict[str, Any] = orjson.loads(file.read())
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, orjson.JSONDecodeError) as exc:
        raise NotABackup("it cannot be read as a backup") from exc
    if document.get("format") != FORMAT:
        raise NotABackup(f"its format is {document.get('format')}, and this version reads {FORMAT}")
    return Manifest(document["created_at"], document["documents"], document["images"], document.get("files", 0))


def read_entries(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield the name and the content of each collection, image and file. Raises OSError, tarfile.TarError."""
    with tarfile.open(path, "r:gz") as tar:
        for entry in tar:
            file = tar.extractfile(entry)
            if file is not None and entry.name != _MANIFEST:
                yield entry.name, file
