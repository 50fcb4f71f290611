"""A6 and A7: what strangers upload is bounded, re-encoded and served inert; only our own uploads can be shown."""

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
from support.api import ApiClient, ApiResponse
from support.authorization_matrix import image_form, make_image
from support.tenants import TenantFixture

LARGEST = 10 * 1024 * 1024
SCRIPT = b"<script>alert(document.cookie)</script>"


@pytest.fixture(scope="module")
async def house(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    return await TenantFixture.create(api, stack, mongodb_uri)


async def _upload(tenant: TenantFixture, data: bytes) -> ApiResponse:
    path = "/api/v1/operator/upload-image"
    return await tenant.api.request("POST", path, token=tenant.alex.token, data=image_form(data))


async def _stored(tenant: TenantFixture, data: bytes) -> ApiResponse:
    """What is served of an image."""
    url = (await _upload(tenant, data)).ok()["url"]
    assert url.startswith(f"{tenant.api.base_url}/uploads/")
    return await tenant.api.request("GET", url.removeprefix(tenant.api.base_url))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _bomb(side: int) -> bytes:
    """A square PNG of one colour: a few kilobytes that decode to `side`² bytes."""
    packer = zlib.compressobj(9)
    row = b"\0" * (side + 1)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _text_bomb() -> bytes:
    """A small PNG with a comment that unpacks to 100 MB."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b"a" * 2**20) for _ in range(100)) + packer.flush()
    plain = make_image()
    end = plain.index(b"IDAT") - 4
    return plain[:end] + _chunk(b"zTXt", b"Comment\0\0" + packed) + plain[end:]


async def test_an_image_comes_back_with_its_size_and_is_served_inert(house: TenantFixture) -> None:
    sent = (await _upload(house, make_image((40, 30)))).ok()
    assert (sent["width"], sent["height"]) == (40, 30)
    served = await _stored(house, make_image((40, 30)))
    headers = {name.lower(): value for name, value in served.headers.items()}
    assert headers["content-type"] == "image/png"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "sandbox" in headers["content-security-policy"]
    assert "immutable" in headers["cache-control"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
async def test_the_type_is_told_by_the_content_and_not_by_the_name(house: TenantFixture, kind: str) -> None:
    served = await _stored(house, make_image(kind=kind))
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
    ids=["svg", "svg with a prolog", "html", "pdf", "bmp", "nothing", "half an image", "no image"],
)
async def test_what_is_no_image_of_four_kinds_is_415(house: TenantFixture, data: bytes) -> None:
    refused = await _upload(house, data)
    assert refused.status == 415, refused.raw
    assert refused.body["code"] == "not_an_image"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
async def test_what_hides_in_an_image_is_not_stored(house: TenantFixture, kind: str) -> None:
    data = make_image(kind=kind, comment=SCRIPT) if kind != "PNG" else make_image(kind=kind)
    served = await _stored(house, data + SCRIPT + b"PK\x03\x04 a zip as well")
    assert b"script" not in served.raw
    assert b"PK\x03\x04" not in served.raw


async def test_a_photographs_place_is_gone(house: TenantFixture) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Canary Cameras"
    exif[0x0112] = 6
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    sent = make_image((40, 30), "JPEG", exif=exif)
    with Image.open(io.BytesIO(sent)) as image:
        assert image.getexif().get_ifd(0x8825), "the test's own image has a position"
    served = await _stored(house, sent)
    assert b"Canary" not in served.raw
    with Image.open(io.BytesIO(served.raw)) as image:
        assert not image.getexif()
        assert image.size == (30, 40), "turned upright, since what said so is gone"


async def test_too_many_bytes_are_413(house: TenantFixture) -> None:
    assert (await _upload(house, b"\xff" * (LARGEST + 1))).status == 413

    async def pieces() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
        for _ in range(12):
            yield b"\xff" * 2**20
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    path = "/api/v1/operator/upload-image"
    refused = await house.api.request("POST", path, token=house.alex.token, data=pieces(), headers=headers)
    assert refused.status == 413, "also where no length was named"


async def test_too_many_pixels_are_413_before_they_take_memory(house: TenantFixture, stack: Stack) -> None:
    chat = psutil.Process(stack.processes("chat")[0].process.pid)
    family = [chat, *chat.children(recursive=True)]
    bomb = await asyncio.to_thread(_bomb, 16_000)
    assert len(bomb) < 2**20

    def memory() -> int:
        return sum(one.memory_info().rss for one in family)

    before, most, done = memory(), 0, asyncio.Event()

    async def watch() -> None:
        nonlocal most
        while not done.is_set():
            most = max(most, memory())
            await asyncio.sleep(0.005)

    watching = asyncio.create_task(watch())
    refused = await asyncio.gather(*(_upload(house, bomb) for _ in range(3)))
    done.set()
    await watching
    assert [one.status for one in refused] == [413] * 3
    assert refused[0].body["code"] == "image_too_large"
    assert most - before < 2 * LARGEST, "none of the 256 MB was unpacked"


async def test_a_comment_that_unpacks_without_end_is_refused(house: TenantFixture) -> None:
    bomb = await asyncio.to_thread(_text_bomb)
    assert (await _upload(house, bomb)).status in (413, 415)


async def test_too_many_frames_are_413(house: TenantFixture) -> None:
    frames = [Image.new("RGB", (4, 4), (number, 255 - number, 7)) for number in range(201)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=10)
    with Image.open(io.BytesIO(out.getvalue())) as image:
        assert getattr(image, "n_frames", 1) == 201
    assert (await _upload(house, out.getvalue())).status == 413


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "gzip"])
async def test_an_encoded_part_is_refused(house: TenantFixture, encoding: str) -> None:
    header = f"Content-Transfer-Encoding: {encoding}\r\n" if encoding != "gzip" else "Content-Encoding: gzip\r\n"
    body = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n'
        + header.encode()
        + b"\r\niVBORw0KGgo=\r\n--b--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    path = "/api/v1/operator/upload-image"
    refused = await house.api.request("POST", path, token=house.alex.token, data=body, headers=headers)
    assert refused.status in (400, 415, 422), refused.raw


@pytest.mark.parametrize(
    "body",
    [
        b"no multipart at all",
        b"--b\r\n\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="image"\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n'
        b"--c\r\n\r\nx\r\n--c--\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\nnever ends',
    ],
    ids=["none", "no parts", "nested", "endless"],
)
async def test_a_broken_form_is_refused_and_no_failure_of_ours(house: TenantFixture, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    path = "/api/v1/operator/upload-image"
    refused = await house.api.request("POST", path, token=house.alex.token, data=body, headers=headers)
    assert refused.status in (400, 415, 422), refused.raw


async def test_only_names_of_ours_are_served(house: TenantFixture) -> None:
    assert (await house.api.request("GET", "/uploads/" + "0" * 32 + ".png")).status == 404
    for name in ("..%2f..%2fetc%2fpasswd", "%2e%2e/secrets.json", "a.png", "0" * 32 + ".html", ""):
        url = f"{house.api.base_url}/uploads/{name}"
        async with house.api.http.get(URL(url, encoded=True)) as response:
            assert response.status == 404, name


async def test_an_image_from_elsewhere_is_422_and_nobody_asks_for_it(house: TenantFixture) -> None:
    """A7."""
    asked: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.close()

    visitor, conversation_id = await house.assigned_conversation()
    ours = (await _upload(house, make_image())).ok()["url"]
    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    name = ours.rpartition("/")[2]
    async with server:
        for url in (
            f"http://127.0.0.1:{port}/uploads/{name}",
            f"{house.api.base_url}/uploads/{'0' * 32}.png",
            f"{house.api.base_url}/uploads/../uploads/{name}",
            f"{house.api.base_url}/api/v1/auth/me",
            f"{ours}?size=1",
            f"{ours}#x",
            f"{house.api.base_url}@127.0.0.1:{port}/uploads/{name}",
            f"//127.0.0.1:{port}/{name}",
            f"/uploads/{name}",
            "javascript:alert(1)",
            "data:image/png;base64,iVBORw0KGgo=",
            "http://169.254.169.254/latest/meta-data/",
            "file:///etc/passwd",
        ):
            body = {"conversation_id": conversation_id, "content": "Look", "image_url": url}
            refused = await house.alex.post("/operator/message", body)
            assert refused.status == 422, url
            assert list(refused.body["errors"]) == ["image_url"]
            assert (await visitor.post("/stream", message="Look", image_url=url)).status == 422, url
    assert not asked
    body = {"conversation_id": conversation_id, "content": "", "image_url": ours}
    assert (await house.alex.post("/operator/message", body)).ok()["message"]["image_url"] == ours
