"""A20: files besides images are recognized by content, limited, kept apart, and served so that nothing in them runs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from yarl import URL

from parley_dev.stack import Stack
from support.api import ApiClient, ApiResponse
from support.authorization_matrix import PDF, file_form
from support.file_samples import REFUSED, SAMPLES
from support.tenants import TenantFixture

MAX_BYTES = 25 * 1024 * 1024


@pytest.fixture(scope="module")
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    return await TenantFixture.create(api, stack, mongodb_uri)


@pytest.fixture(scope="module")
async def other(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    return await TenantFixture.create(api, stack, mongodb_uri)


async def _upload(tenant: TenantFixture, data: bytes, name: str = "report.pdf", query: str = "") -> ApiResponse:
    path = f"/api/v1/operator/upload-file{query}"
    return await tenant.api.request("POST", path, token=tenant.alex.token, data=file_form(data, name))


async def _get(
    tenant: TenantFixture, url: str, method: str = "GET", **headers: str
) -> tuple[aiohttp.ClientResponse, bytes]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with tenant.api.http.request(method, URL(url, encoded=True), headers=sent) as response:
        return response, await response.read()


async def test_a_file_is_served_so_that_nothing_in_it_runs(tenant: TenantFixture) -> None:
    """A20: a file is an attachment with nosniff, a sandbox without sources, and its type by content."""
    for data, _, content_type in SAMPLES.values():
        url = (await _upload(tenant, data, "page.html")).ok()["file"]["url"]
        assert url.startswith(f"{tenant.api.base_url}/files/")
        response, content = await _get(tenant, url)
        assert (response.status, content) == (200, data)
        headers = response.headers
        assert headers["Content-Type"].partition(";")[0] == content_type
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert headers["Cache-Control"] == "private, no-cache"
        assert headers["Content-Disposition"].startswith("attachment; ")
        assert not headers["Content-Disposition"].endswith(".html")
        assert "Access-Control-Allow-Origin" not in headers


async def test_other_content_is_415_whatever_its_name_says(tenant: TenantFixture) -> None:
    """A20: HTML, SVG, programs, archives, macros and polyglots are 415, whatever their name says."""
    for label, data in REFUSED.items():
        rejected = await _upload(tenant, data, "report.pdf")
        assert (rejected.status, rejected.body.get("code")) == (415, "file_type_not_allowed"), label


async def test_a_name_is_neither_a_path_nor_a_header(tenant: TenantFixture) -> None:
    """A20: paths, line breaks and direction overrides in a name reach neither a path nor a header."""
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="..%2f..%2f\xe2\x80\xaefdp.x%22%0d%0aX-Evil: 1"'
        b"\r\nContent-Type: text/html\r\n\r\n" + PDF + b"\r\n--b--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    path = "/api/v1/operator/upload-file"
    uploaded = await tenant.api.request("POST", path, token=tenant.alex.token, data=body, headers=headers)
    file = uploaded.ok()["file"]
    assert not set('/\\\r\n"\u202e') & set(file["name"])
    response, _ = await _get(tenant, file["url"])
    assert response.status == 200
    assert "X-Evil" not in response.headers
    for name in ("..%2f..%2fetc%2fpasswd", "a%0d%0aX-Evil:%201", "%00", "x" * 700):
        response, content = await _get(tenant, f"{tenant.api.base_url}/files/{file['id']}/{name}")
        assert (response.status, content) == (200, PDF), "the id decides"
        assert "X-Evil" not in response.headers
        assert "etc" not in response.headers["Content-Disposition"]


async def test_only_known_ids_are_served(tenant: TenantFixture) -> None:
    """A20: an unknown or malformed id is 404, also for an image's name."""
    for file_id in ("0" * 32, "0" * 31, "../secrets", "%2e%2e", "A" * 32, f"{'0' * 32}.png"):
        response, _ = await _get(tenant, f"{tenant.api.base_url}/files/{file_id}/a.pdf")
        assert response.status == 404, file_id
    file = (await _upload(tenant, PDF)).ok()["file"]
    response, _ = await _get(tenant, f"{tenant.api.base_url}/uploads/{file['id']}.png")
    assert response.status == 404


async def test_parts_of_a_file_are_served(tenant: TenantFixture) -> None:
    """A20: range requests answer 206 and 416; a condition that does not hold, or several ranges, the whole file."""
    data = SAMPLES["mp4"][0]
    file = (await _upload(tenant, data)).ok()["file"]
    url, size = file["url"], len(data)
    response, content = await _get(tenant, url, Range="bytes=10-19")
    assert (response.status, content) == (206, data[10:20])
    assert response.headers["Content-Range"] == f"bytes 10-19/{size}"
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    response, content = await _get(tenant, url, Range="bytes=-100")
    assert (response.status, content) == (206, data[-100:])
    response, _ = await _get(tenant, url, Range=f"bytes={size}-")
    assert (response.status, response.headers["Content-Range"]) == (416, f"bytes */{size}")
    etag = response.headers["ETag"]
    for headers in ({"If_Range": '"other"'}, {"If_Range": "Sun, 29 Nov 2026 10:00:00 GMT"}):
        response, content = await _get(tenant, url, Range="bytes=0-1", **headers)
        assert (response.status, content) == (200, data)
    response, content = await _get(tenant, url, Range="bytes=0-1", If_Range=etag)
    assert (response.status, content) == (206, data[:2])
    response, content = await _get(tenant, url, Range="bytes=0-1,5-6")
    assert (response.status, content) == (200, data)
    response, content = await _get(tenant, url, If_None_Match=etag)
    assert (response.status, content) == (304, b"")
    response, content = await _get(tenant, url, "HEAD")
    assert (response.status, content) == (200, b"")
    assert response.headers["Content-Length"] == str(size)
    assert response.headers["Content-Disposition"].startswith("attachment; ")
    response, content = await _get(tenant, url)
    assert (response.status, content) == (200, data), "the connection to the service is not left half read"


async def test_too_many_bytes_are_413(tenant: TenantFixture) -> None:
    """A20: a file over the limit is 413, with or without Content-Length, and nothing is stored."""

    async def body(size: int) -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.7\n'
        for _ in range(size // 2**20):
            yield bytes(2**20)
        yield b"%%EOF\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    path = "/api/v1/operator/upload-file"
    for data in (body(MAX_BYTES + 2**20), body(MAX_BYTES)):
        rejected = await tenant.api.request("POST", path, token=tenant.alex.token, data=data, headers=headers)
        assert rejected.status == 413, rejected.raw
    assert (await _upload(tenant, b"%PDF-1.7\n" + bytes(MAX_BYTES - 20) + b"%%EOF")).ok()["file"]["size"] > 26_000_000
    manage = {"files": {"max_bytes": 50}}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", manage)).ok()
    visitor = tenant.new_visitor()
    form = file_form(PDF, **visitor.credentials)
    rejected = await tenant.api.request("POST", "/api/v1/chat/upload-file", data=form)
    assert (rejected.status, rejected.body["code"], rejected.body["max_bytes"]) == (413, "file_too_large", 50)
    assert (await _upload(tenant, PDF, query=f"?site_id={tenant.site_id}")).status == 413
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", {"files": {"kinds": ["audio"]}})).ok()
    rejected = await tenant.api.request("POST", "/api/v1/chat/upload-file", data=file_form(PDF, **visitor.credentials))
    assert rejected.status == 415
    off = {"files": {"enabled_for_visitors": False}}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", off)).ok()
    rejected = await tenant.api.request("POST", "/api/v1/chat/upload-file", data=file_form(PDF, **visitor.credentials))
    assert (rejected.status, rejected.body["code"]) == (403, "files_disabled")
    assert (await visitor.get("/config")).ok()["files"]["enabled"] is False
    assert (await _upload(tenant, PDF, query=f"?site_id={tenant.site_id}")).status == 200, "operators may"
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", {"files": None})).ok()
    assert (await visitor.get("/config")).ok()["files"]["enabled"] is True


@pytest.mark.parametrize(
    "body",
    [
        b"no multipart at all",
        b"--b\r\n\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%PDF-1.7 never ends %%EOF',
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        b"JVBERi0=\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Encoding: gzip\r\n\r\n'
        b"x\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="duration"\r\n\r\n-1\r\n--b\r\n'
        b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\nhello\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="duration"\r\n\r\n' + b"1" * 9000 + b"\r\n--b--\r\n",
    ],
    ids=["none", "no parts", "unterminated", "empty", "base64", "gzip", "duration", "long field"],
)
async def test_an_invalid_form_is_a_client_error(tenant: TenantFixture, body: bytes) -> None:
    """A20: an invalid or encoded form is a client error."""
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    path = "/api/v1/operator/upload-file"
    rejected = await tenant.api.request("POST", path, token=tenant.alex.token, data=body, headers=headers)
    assert rejected.status in (400, 415, 422), rejected.raw


async def test_only_own_uploads_can_be_sent(tenant: TenantFixture, other: TenantFixture) -> None:
    """A20: a file of another tenant, visitor or site cannot be sent, and an operator's not by a visitor."""
    visitor, conversation_id = await tenant.assigned_conversation()
    own = (await _upload(tenant, PDF)).ok()["file"]
    foreign = (await _upload(other, PDF)).ok()["file"]
    stranger = tenant.new_visitor()
    form = file_form(PDF, **stranger.credentials)
    of_stranger = (await tenant.api.request("POST", "/api/v1/chat/upload-file", data=form)).ok()["file"]
    site_id = (await tenant.owner.post("/sites", {"name": "Blog", "domains": ["blog.test"]})).ok(201)["site"]["id"]
    path = f"/api/v1/operator/upload-file?site_id={site_id}"
    uploaded = await tenant.api.request("POST", path, token=tenant.owner.token, data=file_form(PDF))
    of_other_site = uploaded.ok()["file"]
    for file_id in (foreign["id"], of_stranger["id"], of_other_site["id"], "0" * 32, "../x", own["url"]):
        body = {"conversation_id": conversation_id, "content": "", "file_id": file_id}
        rejected = await tenant.alex.post("/operator/message", body)
        assert (rejected.status, list(rejected.body["errors"])) == (422, ["file_id"]), file_id
    for file_id in (own["id"], foreign["id"], of_stranger["id"]):
        assert (await visitor.post("/stream", message="Look", file_id=file_id)).status == 422
    body = {"conversation_id": conversation_id, "content": "", "file_id": own["id"]}
    sent = (await tenant.alex.post("/operator/message", body)).ok()["message"]
    assert sent["file"] == own
    assert (await visitor.get("/history")).ok()["messages"][-1]["file"] == own
    assert (await _upload(tenant, PDF, query=f"?site_id={other.site_id}")).status == 404
