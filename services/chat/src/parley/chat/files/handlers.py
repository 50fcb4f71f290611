"""HTTP handlers of files: upload by operators and visitors, delivery to anybody who knows the URL."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiohttp import web

from parley.chat.files.model import FilePolicy, StoredFile, Uploader, quote_name
from parley.chat.files.multipart import open_file
from parley.chat.files.ranges import ByteRange, RangeNotSatisfiable, parse_range
from parley.chat.files.schemas import FileResponse, UploadFileQuery
from parley.chat.files.service import FileService
from parley.chat.identification.late_writes import LateWrites
from parley.chat.sites.site_settings import SiteSettingsReader, get_authorized_site
from parley.chat.visitors.service import VisitorService
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.errors import Forbidden, NotFound
from parley.common.http import RequestContext

_FILE_ID = re.compile(r"[0-9a-f]{32}\Z")
_NOT_ASCII = re.compile(r"[^ !#-\[\]-~]")

_SAFE_HEADERS = {
    # Kept by browsers alone, which ask before they show it again: a file that is erased is gone.
    "Cache-Control": "private, no-cache",
    "Accept-Ranges": "bytes",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Robots-Tag": "noindex",
}


@dataclass(frozen=True, slots=True)
class FileHandlers:
    files: FileService
    sites: SiteSettingsReader
    visitors: VisitorService
    late_writes: LateWrites

    async def upload_as_operator(self, context: RequestContext[OperatorCaller, None, UploadFileQuery]) -> FileResponse:
        caller, site_id = context.caller, context.query.site_id
        if not caller.site_ids:
            raise Forbidden("You cannot write on any site.")
        site = None if site_id is None else await get_authorized_site(self.sites, caller, site_id)
        return await self._upload(context.request, Uploader(caller.tenant_id, site_id), self.files.policy_of(site))

    async def upload_as_visitor(self, context: RequestContext[VisitorCaller, None, None]) -> FileResponse:
        caller = context.caller
        await self.visitors.require_may_write(caller)
        site = await self.sites.get(caller.tenant_id, caller.site_id)
        self.files.require_visitors_allowed(site)
        uploader = Uploader(caller.tenant_id, caller.site_id, caller.session)
        response = await self._upload(context.request, uploader, self.files.policy_of(site))
        await self.late_writes.join(caller)
        return response

    async def deliver(self, request: web.Request) -> web.StreamResponse:
        """Deliver a file or a part of it. Not in the route table, whose path parameters are integers."""
        file_id = request.match_info["file_id"]
        if not _FILE_ID.match(file_id):
            raise NotFound
        file = await self.files.get(file_id)
        headers = _build_headers(file)
        if any(tag.value in (file.id, "*") for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        try:
            part = _requested_part(request, file)
        except RangeNotSatisfiable:
            return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{file.size}"})
        if part is None:
            response = web.StreamResponse(headers=headers)
            part = ByteRange(0, file.size)
        else:
            response = web.StreamResponse(
                status=206, headers={**headers, "Content-Range": part.content_range(file.size)}
            )
        response.content_type = file.content_type
        if file.content_type == "text/plain":
            response.charset = "utf-8"
        response.content_length = part.length
        chunks = await self.files.read(file, part.start, part.length)
        await response.prepare(request)
        sent = 0
        async for chunk in chunks:
            await response.write(chunk)
            sent += len(chunk)
        if sent < part.length and request.transport is not None:
            # Only a broken connection shows that the content is not complete.
            request.transport.abort()
            return response
        await response.write_eof()
        return response

    async def _upload(self, request: web.Request, uploader: Uploader, policy: FilePolicy) -> FileResponse:
        incoming = await open_file(request)
        chunks = incoming.read_chunks()
        return FileResponse(file=await self.files.store(uploader, policy, incoming.name, chunks, incoming.duration))


def _requested_part(request: web.Request, file: StoredFile) -> ByteRange | None:
    """Return the part that is asked for; None for all. Raises RangeNotSatisfiable."""
    condition = request.headers.get("If-Range")
    if condition is not None and condition.strip() != f'"{file.id}"':
        return None
    return parse_range(request.headers.get("Range"), file.size)


def _build_headers(file: StoredFile) -> dict[str, str]:
    fallback = _NOT_ASCII.sub("_", file.name)
    disposition = f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote_name(file.name)}"
    return {**_SAFE_HEADERS, "ETag": f'"{file.id}"', "Content-Disposition": disposition}
