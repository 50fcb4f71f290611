"""Images: taken in from operators and visitors, given out to anybody who was given the address."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from aiohttp import BodyPartReader, web

from parley.chat.conversations.errors import ImageTooLarge
from parley.chat.messages.service import Messages
from parley.chat.schemas import UploadAnswer
from parley.chat.uploads.image_sanitizer import LARGEST_BYTES
from parley.chat.uploads.service import Uploads
from parley.chat.uploads.storage import NAME
from parley.chat.visitors.service import refuse_blocked
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import Forbidden, Invalid, Malformed, NotFound
from parley.common.http import Call

_MEDIA = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp"}
_OTHER_FIELD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class UploadHandlers:
    uploads: Uploads
    messages: Messages

    async def by_operator(self, call: Call[OperatorCaller, None, None]) -> UploadAnswer:
        if not call.caller.site_ids:
            raise Forbidden("You may not write on any site.")
        kept = await self.uploads.keep(call.caller.tenant_id, await read_image(call.request))
        return UploadAnswer(url=kept.url, width=kept.width, height=kept.height)

    async def by_visitor(self, call: Call[VisitorCaller, None, None]) -> UploadAnswer:
        caller = call.caller
        visitor = await self.messages.visitors.find(caller.tenant_id, caller.site_id, caller.session)
        if visitor is not None:
            refuse_blocked(visitor)
        kept = await self.uploads.keep(caller.tenant_id, await read_image(call.request), caller.site_id, caller.session)
        return UploadAnswer(url=kept.url, width=kept.width, height=kept.height)

    async def show(self, request: web.Request) -> web.Response:
        """Not in the route table: its path is a name of ours, not a number."""
        name = request.match_info["name"]
        if not NAME.match(name):
            raise NotFound
        data = await self.uploads.show(name)
        return web.Response(
            body=data,
            content_type=_MEDIA[name.rsplit(".", 1)[1]],
            headers={
                "Cache-Control": "public, max-age=31536000, immutable",
                "ETag": f'"{hashlib.sha256(data).hexdigest()[:32]}"',
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Cross-Origin-Resource-Policy": "cross-origin",
                "Content-Disposition": "inline",
            },
        )


async def read_image(request: web.Request) -> bytes:
    """The bytes of the part `image` (or `file`), never more than allowed in memory. Raises Invalid, ImageTooLarge."""
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise Malformed("Nested multipart bodies are not taken.")
            if part.name in ("image", "file"):
                return await _read(part, LARGEST_BYTES)
            await _read(part, _OTHER_FIELD_BYTES)
    except (ValueError, AssertionError, web.HTTPBadRequest) as exc:
        raise Malformed("The multipart body could not be read.") from exc
    raise Invalid({"image": "is missing"})


async def _read(part: BodyPartReader, most: int) -> bytes:
    if part.headers.get("Content-Transfer-Encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
        raise Malformed("Parts may not be transfer-encoded.")
    data = bytearray()
    while chunk := await part.read_chunk(65536):
        data += chunk
        if len(data) > most:
            raise ImageTooLarge
    return bytes(data)
