"""Images in messages: cleaned, stored under a name of ours, and accepted in messages only by that name."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Protocol

from parley.chat import metrics
from parley.common.errors import Invalid, NotFound, ParleyError


class CleanImage(Protocol):
    """An image that is safe to show."""

    @property
    def data(self) -> bytes: ...
    @property
    def extension(self) -> str: ...
    @property
    def media(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


class ImageCleaner(Protocol):
    async def clean(self, data: bytes) -> CleanImage: ...


class ImageStorage(Protocol):
    async def put(self, name: str, data: bytes, media: str) -> None: ...
    async def get(self, name: str) -> bytes | None: ...


class UploadStore(Protocol):
    """Which images there are, whose site they were uploaded to, and by which visitor, where one did."""

    async def add(self, name: str, tenant_id: int, site_id: int | None, session: str | None, size: int) -> None: ...
    async def exists(self, name: str, tenant_id: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Upload:
    url: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Uploads:
    images: ImageCleaner
    storage: ImageStorage
    store: UploadStore
    base_url: str
    """What comes before the name: this deployment's address or a CDN's, ending in `/uploads/`."""

    async def keep(self, tenant_id: int, data: bytes, site_id: int | None = None, session: str | None = None) -> Upload:
        """Clean and store an operator's image, or a visitor's. Raises NotAnImage, ImageTooLarge, Unavailable."""
        try:
            picture = await self.images.clean(data)
        except ParleyError as exc:
            metrics.UPLOADS.labels(exc.code).inc()
            raise
        # 128 random bits: whoever was not given the address cannot guess it.
        name = f"{secrets.token_hex(16)}.{picture.extension}"
        # Known before it is there: what is there and unknown could never be erased.
        await self.store.add(name, tenant_id, site_id, session, len(picture.data))
        await self.storage.put(name, picture.data, picture.media)
        metrics.UPLOADS.labels("stored").inc()
        return Upload(self.base_url + name, picture.width, picture.height)

    async def checked(self, tenant_id: int, image_url: str | None) -> str | None:
        """The address, if it is of an image uploaded by this tenant here. Raises Invalid; asks nobody outside."""
        if not image_url:
            return None
        name = image_url.removeprefix(self.base_url)
        if name == image_url or not await self.store.exists(name, tenant_id):
            raise Invalid({"image_url": "is not an image uploaded here"})
        return image_url

    async def show(self, name: str) -> bytes:
        """An image's bytes. Raises NotFound."""
        data = await self.storage.get(name)
        if data is None:
            raise NotFound
        return data
