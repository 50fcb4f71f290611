"""SSRF protection: endpoints that sites name are connected to only at public addresses, however they resolve."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from parley.chat.ai.ssrf_safe_client import SsrfSafeTransport, build_ssrf_safe_client
from parley.common.http import ssrf_guard
from parley.common.http.ssrf_guard import EndpointRejected, SsrfGuard, is_public
from support.certificates import create_certificate

PUBLIC = "93.184.215.14"


class FakeResolver:
    """Resolves every name to the given results, one after the other; the last one is repeated."""

    def __init__(self, *results: list[str]) -> None:
        self.results = list(results)
        self.lookups: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.lookups.append(f"{host}:{port}")
        return self.results.pop(0) if len(self.results) > 1 else self.results[0]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.8",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:10.0.0.8",
        "2002:a00:1::1",  # 6to4 of 10.0.0.1
        "64:ff9b::a00:1",  # NAT64 of 10.0.0.1
        "nonsense",
    ],
)
def test_internal_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "2606:4700:4700::1111", "64:ff9b::5db8:d70e"])
def test_internet_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "resolved", "rejection"),
    [
        ("https://ai.example.com/v1", [PUBLIC], None),
        ("http://ai.example.com/v1", [PUBLIC], "must start with https://"),
        ("https://ai.example.com/v1", ["10.0.0.8"], "must lead to the public internet"),
        ("https://ai.example.com/v1", [PUBLIC, "10.0.0.8"], "must lead to the public internet"),
        ("https://ollama.lan/v1", ["10.0.0.9"], None),
        ("http://10.0.0.9:11434/v1", ["10.0.0.9"], None),
        ("http://10.0.0.9:6379/v1", ["10.0.0.9"], "must start with https://"),
    ],
)
async def test_an_endpoint_is_checked_when_it_is_set(url: str, resolved: list[str], rejection: str | None) -> None:
    guard = SsrfGuard(["Ollama.lan", "10.0.0.9:11434"], FakeResolver(resolved))
    assert await guard.find_rejection(url) == rejection


async def test_a_name_that_cannot_be_resolved_is_not_rejected_when_it_is_set() -> None:
    async def fail(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    assert await SsrfGuard((), fail).find_rejection("https://ai.example.com/v1") is None


@pytest.mark.parametrize("host", ["..", "x" * 64, "a..b"])
async def test_an_invalid_host_name_cannot_be_resolved(host: str) -> None:
    with pytest.raises(OSError, match="name"):
        await ssrf_guard.ThreadedResolver()(host, 443)


async def test_a_name_that_resolves_to_a_private_address_later_is_not_connected_to() -> None:
    """DNS rebinding: public when the endpoint was set, loopback at the request."""
    calls = 0

    async def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        writer.close()

    server = await asyncio.start_server(count, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    guard = SsrfGuard((), FakeResolver([PUBLIC], ["127.0.0.1"]))
    url = f"https://ai.example.com:{port}/v1"
    assert await guard.find_rejection(url) is None
    async with server, build_ssrf_safe_client(guard) as http:
        with pytest.raises(EndpointRejected):
            await http.get(url)
        with pytest.raises(EndpointRejected):
            await http.get(f"http://127.0.0.1:{port}/v1")
    assert calls == 0


@asynccontextmanager
async def tls_server(directory: Path, answer: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Run a TLS server for `ai.test`. Yields its port and the heads of the requests it receives."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(create_certificate("ai.test", directory))
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1], heads


@pytest.fixture
def loopback_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat the loopback address as public."""
    monkeypatch.setattr(ssrf_guard, "is_public", lambda address: address == "127.0.0.1")


def create_client(directory: Path, resolver: FakeResolver) -> httpx2.AsyncClient:
    trusted = ssl.create_default_context(cafile=str(directory / "server.pem"))
    return httpx2.AsyncClient(
        transport=SsrfSafeTransport(SsrfGuard((), resolver), verify=trusted), follow_redirects=False
    )


async def test_the_connection_goes_to_the_checked_address_with_the_hosts_name(
    tmp_path: Path, loopback_is_public: None
) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    resolver = FakeResolver(["127.0.0.1"])
    async with tls_server(tmp_path, answer) as (port, heads), create_client(tmp_path, resolver) as http:
        assert (await http.get(f"https://ai.test:{port}/v1")).text == "hi"
        assert f"Host: ai.test:{port}".encode() in heads[0]
        assert resolver.lookups == [f"ai.test:{port}"], "it is resolved once"
        async with create_client(tmp_path, resolver) as other:
            with pytest.raises(httpx2.ConnectError, match=r"(?i)certificate"):
                await other.get(f"https://other.test:{port}/v1")


async def test_a_redirect_is_not_followed(tmp_path: Path, loopback_is_public: None) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    async with (
        tls_server(tmp_path, answer) as (port, heads),
        create_client(tmp_path, FakeResolver(["127.0.0.1"])) as http,
    ):
        assert (await http.get(f"https://ai.test:{port}/v1")).status_code == 302
        assert len(heads) == 1


@pytest.mark.parametrize(
    ("headers", "body"),
    [(b"Content-Length: 5000000", b"x" * 5_000_000), (b"Content-Encoding: gzip\r\nContent-Length: 2", b"hi")],
)
async def test_a_response_that_is_too_large_or_compressed_is_not_read(
    tmp_path: Path, loopback_is_public: None, headers: bytes, body: bytes
) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n\r\n" + body
    async with tls_server(tmp_path, answer) as (port, _), create_client(tmp_path, FakeResolver(["127.0.0.1"])) as http:
        with pytest.raises(httpx2.RemoteProtocolError):
            await http.get(f"https://ai.test:{port}/v1")
