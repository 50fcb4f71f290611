"""Uploaded images, before and after they are stored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

SENDING_TIME = timedelta(hours=1)
"""Longer than it takes to store a message whose image was found to be there."""
_NAME_IN_URL = re.compile(r"/([0-9a-f]{32}\.[a-z]{3,4})\Z")


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


def image_name(url: str | None) -> str | None:
    """Return the name of the image at a URL, whatever address the installation had when the image was stored."""
    match = _NAME_IN_URL.search(url) if url else None
    return match[1] if match else None
