"""HTTP handlers of images: upload by operators and visitors, delivery to anybody who knows the URL."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from aiohttp import web

from parley.chat.uploads.multipart import read_image
from parley.chat.uploads.schemas import UploadResponse, serialize_upload
from parley.chat.uploads.service import UploadService
from parley.chat.uploads.storage import IMAGE_NAME
from parley.chat.visitors.service import VisitorService
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import Forbidden, NotFound
from parley.common.http import RequestContext

_MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class UploadHandlers:
    uploads: UploadService
    visitors: VisitorService

    async def upload_as_operator(self, context: RequestContext[OperatorCaller, None, None]) -> UploadResponse:
        if not context.caller.site_ids:
            raise Forbidden("You cannot write on any site.")
        data = await read_image(context.request)
        return serialize_upload(await self.uploads.store_image(context.caller.tenant_id, data))

    async def upload_as_visitor(self, context: RequestContext[VisitorCaller, None, None]) -> UploadResponse:
        caller = context.caller
        await self.visitors.require_may_write(caller)
        data = await read_image(context.request)
        return serialize_upload(await self.uploads.store_image(caller.tenant_id, data, caller.site_id, caller.session))

    async def deliver(self, request: web.Request) -> web.Response:
        """Deliver an image. Not in the route table, whose path parameters are integers."""
        name = request.match_info["name"]
        if not IMAGE_NAME.match(name):
            raise NotFound
        data = await self.uploads.read(name)
        return web.Response(
            body=data,
            content_type=_MEDIA_TYPES[name.rsplit(".", 1)[1]],
            headers={
                "Cache-Control": "public, max-age=31536000, immutable",
                "ETag": f'"{hashlib.sha256(data).hexdigest()[:32]}"',
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Cross-Origin-Resource-Policy": "cross-origin",
                "Content-Disposition": "inline",
            },
        )
