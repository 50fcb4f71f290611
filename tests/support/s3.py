"""Object storage as clients of S3 meet it: a local server that speaks as much of its protocol as images need.

(Amazon S3 API reference: GetBucketLocation, PutObject, GetObject, DeleteObject, error responses.)
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass
class S3:
    """A bucket's objects by their names, with their media types; `down` makes it refuse everything."""

    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    signed_by: set[str] = field(default_factory=set)
    down: bool = False
    endpoint: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        bucket, _, name = request.path.lstrip("/").partition("/")
        credential = request.headers.get("Authorization", "").partition("Credential=")[2]
        self.signed_by.add(credential.partition("/")[0])
        body = await request.read()
        if self.down:
            return _refused(403, "AccessDenied", bucket, name)
        if not name and "location" in request.query:
            return web.Response(text="<LocationConstraint></LocationConstraint>", content_type="application/xml")
        match request.method:
            case "PUT":
                self.objects[name] = body, request.headers["Content-Type"]
                return web.Response(headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})
            case "DELETE":
                self.objects.pop(name, None)
                return web.Response(status=204)
            case "GET" if name in self.objects:
                return web.Response(body=self.objects[name][0], content_type=self.objects[name][1])
        return _refused(404, "NoSuchKey", bucket, name)


def _refused(status: int, code: str, bucket: str, name: str) -> web.Response:
    text = (
        f"<Error><Code>{code}</Code><Message>{code}</Message><BucketName>{bucket}</BucketName><Key>{name}</Key></Error>"
    )
    return web.Response(status=status, text=text, content_type="application/xml")


@asynccontextmanager
async def s3() -> AsyncIterator[S3]:
    """A server of its own, gone afterwards."""
    played = S3()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", played.answer)
    async with TestServer(app) as server:
        played.endpoint = f"{server.host}:{server.port}"
        yield played
