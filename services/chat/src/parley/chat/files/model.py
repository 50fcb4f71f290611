"""Files, from their type to what a message shows of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from parley.chat.sites.chatbot import FilesSettings
from parley.chat.sites.site_settings import SiteSettings
from parley.common.errors import ValidationFailed
from parley.common.events.schemas import FileKind, FileSchema

SENDING_TIME = timedelta(hours=1)
"""Longer than it takes to store a message whose file was found to be there."""


@dataclass(frozen=True, slots=True)
class FileType:
    """A type that is accepted. `extensions`: those that a name may have; the first is appended to any other name."""

    kind: FileKind
    content_type: str
    extensions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FilePolicy:
    """What may be uploaded: the installation's limits, narrowed by those of a site. `max_bytes` of one file."""

    kinds: frozenset[FileKind]
    max_bytes: int

    def allows(self, kind: FileKind, size: int) -> bool:
        return kind in self.kinds and size <= self.max_bytes

    def narrow(self, site: FilesSettings) -> FilePolicy:
        """Return what is left by the settings of a site."""
        max_bytes = self.max_bytes if site.max_bytes is None else min(site.max_bytes, self.max_bytes)
        return FilePolicy(self.kinds & frozenset(site.kinds), max_bytes)


@dataclass(frozen=True, slots=True)
class Uploader:
    """Who uploads. `session` is None for an operator, `site_id` for one who named no site."""

    tenant_id: int
    site_id: int | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is stored completely."""

    id: str
    uploader: Uploader
    name: str
    size: int
    kind: FileKind
    content_type: str
    sha256: str
    duration: float | None = None
    """Of a recording, in seconds, as the client says."""

    def to_schema(self, base_url: str, expires_at: datetime | None = None) -> FileSchema:
        return FileSchema(
            id=self.id,
            url=file_url(base_url, self.id, self.name),
            name=self.name,
            size=self.size,
            kind=self.kind,
            content_type=self.content_type,
            duration=self.duration,
            expires_at=expires_at,
        )


@dataclass(frozen=True, slots=True)
class SendableFile:
    """A file that its uploader may send. `limits` are those of the installation."""

    file: StoredFile
    limits: FilePolicy
    base_url: str

    def attach(self, site: SiteSettings, at: datetime) -> FileSchema:
        """Return what a message that is sent on a site at a time shows of the file. Raises ValidationFailed."""
        if self.file.uploader.site_id not in (None, site.id):
            raise ValidationFailed({"file_id": "is a file of another site"})
        if not self.limits.narrow(site.files).allows(self.file.kind, self.file.size):
            raise ValidationFailed({"file_id": "is of a kind or size that the site does not accept"})
        days = site.files.expire_days
        return self.file.to_schema(self.base_url, None if days is None else at + timedelta(days=days))

    def attach_anywhere(self) -> FileSchema:
        """Return what a text that is used on several sites shows of the file. Raises ValidationFailed."""
        if self.file.uploader.site_id is not None:
            raise ValidationFailed({"file_id": "is a file of one site; upload it without site_id"})
        return self.file.to_schema(self.base_url)


@dataclass(frozen=True, slots=True)
class ExpiredFile:
    """A file whose time to be sent, or to be kept, may be over."""

    id: str
    uploader: Uploader


def file_url(base_url: str, file_id: str, name: str) -> str:
    """Return the URL of a file. `base_url` ends in a slash."""
    return f"{base_url}{file_id}/{quote_name(name)}"


def quote_name(name: str) -> str:
    """Percent-encode a file's name for a URL, and for a header (RFC 8187)."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in name.encode())


_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def object_name(file_id: str) -> str:
    """Return the name under which a file's content is stored. Images have names of another form."""
    return f"{file_id}.file"
