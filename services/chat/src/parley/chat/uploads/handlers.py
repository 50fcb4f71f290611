"""HTTP handlers of images: upload by operators and visitors, delivery to anybody who knows the URL."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from parley.chat.identification.late_writes import LateWrites
from parley.chat.uploads.multipart import UploadBuffer, read_image
from parley.chat.uploads.schemas import UploadResponse, serialize_upload
from parley.chat.uploads.service import UploadService
from parley.chat.uploads.storage import IMAGE_NAME
from parley.chat.visitors.service import VisitorService
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import Forbidden, NotFound
from parley.common.http import RequestContext

_MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp"}

_CACHE_CONTROL = "private, no-cache"
"""Kept by browsers alone, which ask before they show it again: an image that is erased is gone."""


@dataclass(frozen=True, slots=True)
class UploadHandlers:
    uploads: UploadService
    visitors: VisitorService
    late_writes: LateWrites
    buffer: UploadBuffer = field(default_factory=UploadBuffer)

    async def upload_as_operator(self, context: RequestContext[OperatorCaller, None, None]) -> UploadResponse:
        if not context.caller.site_ids:
            raise Forbidden("You cannot write on any site.")
        with self.buffer.read_into() as upload:
            await read_image(context.request, upload)
            return serialize_upload(await self.uploads.store_image(context.caller.tenant_id, bytes(upload.data)))

    async def upload_as_visitor(self, context: RequestContext[VisitorCaller, None, None]) -> UploadResponse:
        caller = context.caller
        await self.visitors.require_may_write(caller)
        with self.buffer.read_into() as upload:
            await read_image(context.request, upload)
            stored = await self.uploads.store_image(
                caller.tenant_id, bytes(upload.data), caller.site_id, caller.session
            )
        await self.late_writes.join(caller)
        return serialize_upload(stored)

    async def deliver(self, request: web.Request) -> web.Response:
        """Deliver an image. Not in the route table, whose path parameters are integers."""
        name = request.match_info["name"]
        if not IMAGE_NAME.match(name):
            raise NotFound
        data = await self.uploads.read(name)
        # What a name stands for never changes, but may be erased.
        stem, extension = name.rsplit(".", 1)
        if any(tag.value in (stem, "*") for tag in request.if_none_match or ()):
            return web.Response(status=304, headers={"Cache-Control": _CACHE_CONTROL, "ETag": f'"{stem}"'})
        return web.Response(
            body=data,
            content_type=_MEDIA_TYPES[extension],
            headers={
                "Cache-Control": _CACHE_CONTROL,
                "ETag": f'"{stem}"',
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Cross-Origin-Resource-Policy": "cross-origin",
                "Content-Disposition": "inline",
            },
        )
