"""A local server with the part of the S3 protocol that images need.

(Amazon S3 API reference: GetBucketLocation, PutObject, GetObject, DeleteObject, multipart uploads, error responses.)
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass
class FakeS3:
    """A bucket's objects by name, with their media types."""

    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    access_keys: set[str] = field(default_factory=set)
    """The keys that requests were signed with."""
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    """Of unfinished uploads, by the object's name."""
    unavailable: bool = False
    """Set to reject every request."""
    endpoint: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        bucket, _, name = request.path.lstrip("/").partition("/")
        credential = request.headers.get("Authorization", "").partition("Credential=")[2]
        self.access_keys.add(credential.partition("/")[0])
        body = await request.read()
        if self.unavailable:
            return _error(403, "AccessDenied", bucket, name)
        if not name and "location" in request.query:
            return web.Response(text="<LocationConstraint></LocationConstraint>", content_type="application/xml")
        if request.method == "POST" and "uploads" in request.query:
            self.parts[name] = {}
            text = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
            return web.Response(text=text, content_type="application/xml")
        if request.method == "POST":
            parts = self.parts.pop(name)
            self.objects[name] = b"".join(parts[number] for number in sorted(parts)), "application/octet-stream"
            text = (
                f"<CompleteMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{name}</Key><ETag>1</ETag>"
                "</CompleteMultipartUploadResult>"
            )
            return web.Response(text=text, content_type="application/xml")
        if request.method == "DELETE" and "uploadId" in request.query:
            self.parts.pop(name, None)
            return web.Response(status=204)
        match request.method:
            case "PUT" if "partNumber" in request.query:
                self.parts[name][int(request.query["partNumber"])] = body
                return web.Response(headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})
            case "PUT":
                self.objects[name] = body, request.headers["Content-Type"]
                return web.Response(headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})
            case "DELETE":
                self.objects.pop(name, None)
                return web.Response(status=204)
            case "GET" if name in self.objects:
                content, media_type = self.objects[name]
                part = content[request.http_range] if "Range" in request.headers else content
                status = 206 if "Range" in request.headers else 200
                return web.Response(body=part, status=status, content_type=media_type)
        return _error(404, "NoSuchKey", bucket, name)


def _error(status: int, code: str, bucket: str, name: str) -> web.Response:
    text = (
        f"<Error><Code>{code}</Code><Message>{code}</Message><BucketName>{bucket}</BucketName><Key>{name}</Key></Error>"
    )
    return web.Response(status=status, text=text, content_type="application/xml")


@asynccontextmanager
async def run_fake_s3() -> AsyncIterator[FakeS3]:
    fake = FakeS3()
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", fake.handle)
    async with TestServer(app) as server:
        fake.endpoint = f"{server.host}:{server.port}"
        yield fake
