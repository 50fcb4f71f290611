"""What uploads need: re-encoding of images, storage of their bytes, and a record of who uploaded them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from parley.chat.files.model import Uploader
from parley.chat.uploads.model import ExpiredUpload, SanitizedImage


class ImageSanitizer(Protocol):
    async def sanitize(self, data: bytes) -> SanitizedImage:
        """Decode and re-encode an image. Raises NotAnImage, ImageTooLarge, TooManyImages."""

    async def scale_down(self, data: bytes) -> SanitizedImage:
        """A small JPEG of an image. Raises NotAnImage, ImageTooLarge, TooManyImages."""


class ImageStorage(Protocol):
    """Stores the bytes of images, by name. Every method raises Unavailable."""

    async def put(self, name: str, data: bytes, media_type: str) -> None: ...

    async def get(self, name: str) -> bytes | None:
        """Return None if there is no such image."""

    async def remove(self, name: str) -> None:
        """Do nothing if there is no such image."""

    async def get_unwritable_reason(self) -> str | None:
        """Return why images cannot be stored at present; None if they can."""


class ObjectStorage(ImageStorage, Protocol):
    """Stores images and files. `files/ports.py` describes the methods for files."""

    async def put_stream(self, name: str, chunks: AsyncIterator[bytes], media_type: str) -> None: ...

    async def read_range(self, name: str, start: int, length: int) -> AsyncIterator[bytes] | None: ...


class UploadRepository(Protocol):
    """Which images were uploaded to which tenant, and by which visitor, if one did."""

    async def add(self, name: str, tenant_id: int, site_id: int | None, session: str | None, size: int) -> None:
        """`size` is in bytes."""

    async def keep_for_sending(self, name: str, uploader: Uploader) -> bool:
        """Let an image stay until a message that is sent now is stored. False if there is none, or it has expired.

        A visitor's image can be sent by that visitor, an operator's by any operator of the tenant.
        """

    async def find_expired(self, name: str, uploader: Uploader) -> ExpiredUpload | None:
        """Return an image that can be sent by this uploader, has expired and was not removed yet."""

    async def list_expired(self, limit: int) -> Sequence[ExpiredUpload]:
        """Return visitors' images that have expired, whether or not they were sent."""

    async def retain(self, name: str) -> None:
        """Let an image that was sent not expire."""

    async def remove(self, name: str) -> None: ...

    async def is_of_visitor(self, name: str, tenant_id: int, site_id: int, session: str) -> bool:
        """Whether the visitor with this session has uploaded the image."""

    async def is_sent(self, upload: ExpiredUpload, url: str) -> bool:
        """Whether a message or a canned reply shows the image, which has this URL."""
