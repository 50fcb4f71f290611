"""A6 and A7: uploads are limited, re-encoded and served without being executable; only own uploads can be sent."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from collections.abc import AsyncIterator

import psutil
import pytest
from PIL import Image
from yarl import URL

from parley_dev.stack import Stack
from support.api import ApiClient, ApiResponse, VisitorClient
from support.authorization_matrix import image_form, make_image
from support.tenants import TenantFixture

MAX_BYTES = 10 * 1024 * 1024
SCRIPT = b"<script>alert(document.cookie)</script>"


@pytest.fixture(scope="module")
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    return await TenantFixture.create(api, stack, mongodb_uri)


async def _upload(tenant: TenantFixture, data: bytes) -> ApiResponse:
    path = "/api/v1/operator/upload-image"
    return await tenant.api.request("POST", path, token=tenant.alex.token, data=image_form(data))


async def _upload_and_download(tenant: TenantFixture, data: bytes) -> ApiResponse:
    """Upload an image, and download what is served."""
    url = (await _upload(tenant, data)).ok()["url"]
    assert url.startswith(f"{tenant.api.base_url}/uploads/")
    return await tenant.api.request("GET", url.removeprefix(tenant.api.base_url))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _bomb(side: int) -> bytes:
    """Build a square PNG of one colour: a few kilobytes that decode to `side`² bytes."""
    compressor = zlib.compressobj(9)
    row = b"\0" * (side + 1)
    compressed = b"".join(compressor.compress(row) for _ in range(side)) + compressor.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", compressed) + _chunk(b"IEND", b"")


def _text_bomb() -> bytes:
    """Build a small PNG with a comment that unpacks to 100 MB."""
    compressor = zlib.compressobj(9)
    compressed = b"".join(compressor.compress(b"a" * 2**20) for _ in range(100)) + compressor.flush()
    plain = make_image()
    end = plain.index(b"IDAT") - 4
    return plain[:end] + _chunk(b"zTXt", b"Comment\0\0" + compressed) + plain[end:]


async def test_an_image_is_served_with_safe_headers(tenant: TenantFixture) -> None:
    """A6: images are served with nosniff and a content security policy that executes nothing."""
    sent = (await _upload(tenant, make_image((40, 30)))).ok()
    assert (sent["width"], sent["height"]) == (40, 30)
    served = await _upload_and_download(tenant, make_image((40, 30)))
    headers = {name.lower(): value for name, value in served.headers.items()}
    assert headers["content-type"] == "image/png"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "sandbox" in headers["content-security-policy"]
    assert headers["cache-control"] == "private, no-cache", "an erased image is not shown from a cache"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
async def test_the_type_is_detected_from_the_content(tenant: TenantFixture, kind: str) -> None:
    """A6: an image's type is detected from its content."""
    served = await _upload_and_download(tenant, make_image(kind=kind))
    assert served.headers["Content-Type"] == f"image/{kind.lower()}"
    with Image.open(io.BytesIO(served.raw)) as image:
        assert image.format == kind


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!doctype html><html>" + SCRIPT + b"</html>",
        b"%PDF-1.7 nothing",
        b"BM" + b"\0" * 200,
        b"",
        make_image()[:40],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    ],
    ids=["svg", "svg with an XML declaration", "html", "pdf", "bmp", "empty", "truncated image", "invalid image"],
)
async def test_other_content_is_415(tenant: TenantFixture, data: bytes) -> None:
    """A6: everything but JPEG, PNG, GIF, WebP, HEIC and AVIF is 415, also SVG and HTML."""
    rejected = await _upload(tenant, data)
    assert rejected.status == 415, rejected.raw
    assert rejected.body["code"] == "not_an_image"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
async def test_images_are_reencoded_without_hidden_content(tenant: TenantFixture, kind: str) -> None:
    """A6: images are re-encoded, so that appended or embedded content is not stored."""
    data = make_image(kind=kind, comment=SCRIPT) if kind != "PNG" else make_image(kind=kind)
    served = await _upload_and_download(tenant, data + SCRIPT + b"PK\x03\x04 a zip as well")
    assert b"script" not in served.raw
    assert b"PK\x03\x04" not in served.raw


async def test_exif_data_is_removed(tenant: TenantFixture) -> None:
    """A6: EXIF data such as the position is removed, and the orientation applied."""
    exif = Image.Exif()
    exif[0x010F] = "Canary Cameras"
    exif[0x0112] = 6
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    sent = make_image((40, 30), "JPEG", exif=exif)
    with Image.open(io.BytesIO(sent)) as image:
        assert image.getexif().get_ifd(0x8825), "the test image has a position"
    served = await _upload_and_download(tenant, sent)
    assert b"Canary" not in served.raw
    with Image.open(io.BytesIO(served.raw)) as image:
        assert not image.getexif()
        assert image.size == (30, 40), "rotated, because the orientation tag is removed"


async def test_too_many_bytes_are_413(tenant: TenantFixture) -> None:
    """A6: an upload over 10 MB is 413, with or without Content-Length."""
    assert (await _upload(tenant, b"\xff" * (MAX_BYTES + 1))).status == 413

    async def pieces() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
        for _ in range(12):
            yield b"\xff" * 2**20
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    path = "/api/v1/operator/upload-image"
    rejected = await tenant.api.request("POST", path, token=tenant.alex.token, data=pieces(), headers=headers)
    assert rejected.status == 413, "also without Content-Length"


async def test_decompression_bombs_are_413_before_they_use_memory(tenant: TenantFixture, stack: Stack) -> None:
    """A6: an image with too many pixels is 413 before memory grows past twice the limit."""
    chat = psutil.Process(stack.processes("chat")[0].process.pid)
    processes = [chat, *chat.children(recursive=True)]
    bomb = await asyncio.to_thread(_bomb, 16_000)
    assert len(bomb) < 2**20

    def memory() -> int:
        return sum(one.memory_info().rss for one in processes)

    before, peak, done = memory(), 0, asyncio.Event()

    async def record_peak() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, memory())
            await asyncio.sleep(0.005)

    recording = asyncio.create_task(record_peak())
    rejected = await asyncio.gather(*(_upload(tenant, bomb) for _ in range(3)))
    done.set()
    await recording
    assert [one.status for one in rejected] == [413] * 3
    assert rejected[0].body["code"] == "image_too_large"
    assert peak - before < 2 * MAX_BYTES, "none of the 256 MB is decompressed"


async def test_a_compressed_comment_bomb_is_rejected(tenant: TenantFixture) -> None:
    """A6: a small image whose comment decompresses to 100 MB is rejected."""
    bomb = await asyncio.to_thread(_text_bomb)
    assert (await _upload(tenant, bomb)).status in (413, 415)


async def test_too_many_frames_are_413(tenant: TenantFixture) -> None:
    """A6: an animation with too many frames is 413."""
    frames = [Image.new("RGB", (4, 4), (number, 255 - number, 7)) for number in range(201)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=10)
    with Image.open(io.BytesIO(out.getvalue())) as image:
        assert getattr(image, "n_frames", 1) == 201
    assert (await _upload(tenant, out.getvalue())).status == 413


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "gzip"])
async def test_encoded_parts_are_rejected(tenant: TenantFixture, encoding: str) -> None:
    """A6: base64, quoted-printable and compressed parts are rejected."""
    header = f"Content-Transfer-Encoding: {encoding}\r\n" if encoding != "gzip" else "Content-Encoding: gzip\r\n"
    body = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n'
        + header.encode()
        + b"\r\niVBORw0KGgo=\r\n--b--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    path = "/api/v1/operator/upload-image"
    rejected = await tenant.api.request("POST", path, token=tenant.alex.token, data=body, headers=headers)
    assert rejected.status in (400, 415, 422), rejected.raw


@pytest.mark.parametrize(
    "body",
    [
        b"no multipart at all",
        b"--b\r\n\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="image"\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n'
        b"--c\r\n\r\nx\r\n--c--\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\nnever ends',
        b'--b\r\nContent-Disposition: form-data; name="image"\r\nno colon\r\n\r\nx\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="image"\r\nbad name: x\r\n\r\nx\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="image"\r\nX-Long: ' + b"x" * 9000 + b"\r\n\r\nx\r\n--b--\r\n",
    ],
    ids=["no multipart", "no parts", "nested", "unterminated", "no colon", "bad header name", "long header"],
)
async def test_an_invalid_form_is_a_client_error(tenant: TenantFixture, body: bytes) -> None:
    """A6: an invalid multipart form is a client error."""
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    path = "/api/v1/operator/upload-image"
    rejected = await tenant.api.request("POST", path, token=tenant.alex.token, data=body, headers=headers)
    assert rejected.status in (400, 415, 422), rejected.raw


async def test_only_uploaded_names_are_served(tenant: TenantFixture) -> None:
    """A6: only names of uploads are served; path traversal is 404."""
    assert (await tenant.api.request("GET", "/uploads/" + "0" * 32 + ".png")).status == 404
    for name in ("..%2f..%2fetc%2fpasswd", "%2e%2e/secrets.json", "a.png", "0" * 32 + ".html", ""):
        url = f"{tenant.api.base_url}/uploads/{name}"
        async with tenant.api.http.get(URL(url, encoded=True)) as response:
            assert response.status == 404, name


async def test_foreign_image_urls_are_422_and_never_requested(tenant: TenantFixture) -> None:
    """A7: an `image_url` that is not an own upload is 422, and no request is sent to it."""
    requests: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readline())
        writer.close()

    visitor, conversation_id = await tenant.assigned_conversation()
    own_url = (await _upload(tenant, make_image())).ok()["url"]
    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    name = own_url.rpartition("/")[2]
    async with server:
        for url in (
            f"http://127.0.0.1:{port}/uploads/{name}",
            f"{tenant.api.base_url}/uploads/{'0' * 32}.png",
            f"{tenant.api.base_url}/uploads/../uploads/{name}",
            f"{tenant.api.base_url}/api/v1/auth/me",
            f"{own_url}?size=1",
            f"{own_url}#x",
            f"{tenant.api.base_url}@127.0.0.1:{port}/uploads/{name}",
            f"//127.0.0.1:{port}/{name}",
            f"/uploads/{name}",
            "javascript:alert(1)",
            "data:image/png;base64,iVBORw0KGgo=",
            "http://169.254.169.254/latest/meta-data/",
            "file:///etc/passwd",
        ):
            body = {"conversation_id": conversation_id, "content": "Look", "image_url": url}
            rejected = await tenant.alex.post("/operator/message", body)
            assert rejected.status == 422, url
            assert list(rejected.body["errors"]) == ["image_url"]
            assert (await visitor.post("/stream", message="Look", image_url=url)).status == 422, url
    assert not requests
    body = {"conversation_id": conversation_id, "content": "", "image_url": own_url}
    assert (await tenant.alex.post("/operator/message", body)).ok()["message"]["image_url"] == own_url


async def test_only_own_uploads_can_be_sent(tenant: TenantFixture) -> None:
    """A7: a visitor sends their own images only, an operator those of operators; an erased one is sent by nobody."""
    visitor, conversation_id = await tenant.assigned_conversation()
    stranger = tenant.new_visitor()
    of_operator = (await _upload(tenant, make_image())).ok()["url"]
    own, of_stranger = [await _upload_as_visitor(one) for one in (visitor, stranger)]
    theirs = (await stranger.send_message("Mine", image_url=of_stranger))["conversation_id"]
    subject = (await tenant.alex.get(f"/operator/conversation/{theirs}")).ok()["conversation"]["visitor"]["session_id"]
    reply = {"shortcut": "map", "text": "See the picture.", "scope": "mine", "image_url": of_stranger}
    for url in (own, of_stranger):
        body = {"conversation_id": conversation_id, "content": "", "image_url": url}
        _assert_refused(await tenant.alex.post("/operator/message", body))
        _assert_refused(await tenant.alex.post("/canned-replies", {**reply, "image_url": url}))
    for url in (of_operator, of_stranger):
        _assert_refused(await visitor.post("/stream", message="Look", image_url=url))
    await visitor.send_message("", image_url=own)
    erase = {"site_id": tenant.site_id, "session_id": subject}
    (await tenant.owner.post("/operator/visitor/erase", erase)).ok()
    assert (await tenant.api.request("GET", of_stranger.removeprefix(tenant.api.base_url))).status == 404
    _assert_refused(await visitor.post("/stream", message="Look", image_url=of_stranger))


async def _upload_as_visitor(visitor: VisitorClient) -> str:
    form = image_form(make_image(), **visitor.credentials)
    url = (await visitor.api.request("POST", "/api/v1/chat/upload-image", data=form)).ok()["url"]
    assert isinstance(url, str)
    return url


def _assert_refused(response: ApiResponse) -> None:
    assert (response.status, list(response.body["errors"])) == (422, ["image_url"])
