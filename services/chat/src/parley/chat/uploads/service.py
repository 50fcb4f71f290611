"""Stores images of messages under names of its own, and accepts only those in messages."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from parley.chat import metrics
from parley.chat.files.model import Uploader
from parley.chat.uploads.model import Upload, image_name
from parley.chat.uploads.ports import ImageSanitizer, ImageStorage, UploadRepository
from parley.common.errors import NotFound, ParleyError, ValidationFailed

_REMOVAL_BATCH = 100


@dataclass(frozen=True, slots=True)
class UploadService:
    sanitizer: ImageSanitizer
    storage: ImageStorage
    uploads: UploadRepository
    base_url: str
    """What precedes the name in an image's URL, ending in a slash: the URL of this deployment or of a CDN."""

    async def store_image(
        self, tenant_id: int, data: bytes, site_id: int | None = None, session: str | None = None
    ) -> Upload:
        """Re-encode and store an image of an operator, or of the visitor with this session on this site.

        Raises NotAnImage, ImageTooLarge, TooManyImages, Unavailable.
        """
        try:
            image = await self.sanitizer.sanitize(data)
        except ParleyError as exc:
            metrics.UPLOADS.labels(exc.code).inc()
            raise
        # 128 random bits, so that URLs cannot be guessed.
        name = f"{secrets.token_hex(16)}.{image.extension}"
        # Recorded before it is stored: an image without a record could never be erased.
        await self.uploads.add(name, tenant_id, site_id, session, len(image.data))
        await self.storage.put(name, image.data, image.media_type)
        metrics.UPLOADS.labels("stored").inc()
        return Upload(self.base_url + name, image.width, image.height)

    async def validate_url(self, uploader: Uploader, image_url: str | None) -> str | None:
        """Return the URL of an image that the sender of a message uploaded here; None for None or an empty text.

        Raises ValidationFailed for any other URL. Never requests the URL.
        """
        if not image_url:
            return None
        name = image_url.removeprefix(self.base_url)
        if name == image_url or not await self._is_usable(name, uploader):
            raise ValidationFailed({"image_url": "is not an image uploaded here"})
        return image_url

    def to_current_url(self, image_url: str | None) -> str | None:
        """Return the URL that an image has now, if the installation had another address when it was stored."""
        name = image_name(image_url)
        return image_url if name is None else self.base_url + name

    async def _is_usable(self, name: str, uploader: Uploader) -> bool:
        """Whether an image can be sent: until it expires, and as long as a message shows it."""
        if await self.uploads.keep_for_sending(name, uploader):
            return True
        expired = await self.uploads.find_expired(name, uploader)
        if expired is None or not await self.uploads.is_sent(expired, self.base_url + name):
            return False
        await self.uploads.retain(name)
        return True

    async def remove_unsent(self) -> None:
        """Remove the images that visitors uploaded long ago and never sent. Raises Unavailable."""
        while expired := await self.uploads.list_expired(_REMOVAL_BATCH):
            for upload in expired:
                if await self.uploads.is_sent(upload, self.base_url + upload.name):
                    await self.uploads.retain(upload.name)
                else:
                    await self.storage.remove(upload.name)
                    await self.uploads.remove(upload.name)

    async def read_for_model(self, tenant_id: int, site_id: int, session: str, image_url: str) -> bytes | None:
        """A visitor's own image as a small JPEG. None if it is not theirs, or cannot be read any more."""
        name = image_name(image_url)
        try:
            if name is None or not await self.uploads.is_of_visitor(name, tenant_id, site_id, session):
                return None
            data = await self.storage.get(name)
            return None if data is None else (await self.sanitizer.scale_down(data)).data
        except ParleyError:
            return None

    async def read(self, name: str) -> bytes:
        """Return the bytes of an image. Raises NotFound, Unavailable."""
        data = await self.storage.get(name)
        if data is None:
            raise NotFound
        return data
