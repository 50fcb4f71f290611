"""Uploaded images, before and after they are stored."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SanitizedImage:
    """A re-encoded image, safe to deliver."""

    data: bytes
    extension: str
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ExpiredUpload:
    """A visitor's image whose time to be sent is over. `visitor_key` is that of the visitor who uploaded it."""

    name: str
    visitor_key: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A stored image."""

    url: str
    width: int
    height: int
