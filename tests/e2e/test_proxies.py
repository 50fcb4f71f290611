"""The documented proxies carry what a widget does over HTTP/2 with TLS: a stream, messages, uploads."""

from __future__ import annotations

import asyncio
import getpass
import json
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlencode, urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from parley_dev.ports import free_port
from parley_dev.process import Process, child_environment
from parley_dev.stack import Stack
from support.api import VisitorClient
from support.certificates import create_certificate
from support.tenants import TenantFixture
from support.wait import wait_until

HOST = "chat.example.com"
DOCUMENT = Path(__file__).parents[2] / "docs/operations.md"
LARGE = b"%PDF-1.7\n" + bytes(20_000_000) + b"%%EOF"
"""Larger than what proxies accept by default."""


@dataclass(frozen=True, slots=True)
class Curl:
    """A client of a proxy that asks for HTTP/2."""

    port: int
    certificate: Path

    async def start(self, path: str, *options: str) -> asyncio.subprocess.Process:
        address = ("--resolve", f"{HOST}:{self.port}:127.0.0.1", f"https://{HOST}:{self.port}/api/v1/chat/{path}")
        trusted = ("--cacert", str(self.certificate), "--noproxy", "*")
        command = ("curl", "--silent", "--show-error", "--no-buffer", "--http2", *trusted, *options, *address)
        return await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )

    async def request(self, path: str, *options: str) -> tuple[str, str]:
        """Return the HTTP version and status, and the body."""
        process = await self.start(path, "--write-out", "\n%{http_version} %{http_code}", *options)
        output, _ = await process.communicate()
        body, _, result = output.decode().rpartition("\n")
        return result, body

    async def post(self, visitor: VisitorClient, path: str, **fields: str) -> tuple[str, str]:
        body = json.dumps({**visitor.credentials, **fields})
        return await self.request(path, "--header", "Content-Type: application/json", "--data", body)


def documented(name: str) -> str:
    """The configuration of a proxy in the documentation."""
    found = re.search(rf"^\*\*{name}\*\*(?:.+\n)+\n((?:    .+\n)+)", DOCUMENT.read_text(), re.MULTILINE)
    assert found is not None
    return dedent(found[1])


def replace(text: str, *replacements: tuple[str, str]) -> str:
    for before, after in replacements:
        assert before in text
        text = text.replace(before, after)
    return text


def configure_nginx(directory: Path, port: int, certificate: Path, gateway: str) -> list[str]:
    server = replace(
        documented("nginx"),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        (f"/etc/letsencrypt/live/{HOST}/fullchain.pem", str(certificate)),
        (f"/etc/letsencrypt/live/{HOST}/privkey.pem", str(certificate)),
        ("127.0.0.1:8080", gateway),
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {directory}/{kind};\n" for kind in kinds)
    path = directory / "nginx.conf"
    path.write_text(
        f"daemon off;\nuser {getpass.getuser()};\npid {directory}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{folders}{server}}}\n"
    )
    return ["-e", "stderr", "-p", str(directory), "-c", str(path)]


def configure_caddy(directory: Path, port: int, certificate: Path, gateway: str) -> list[str]:
    server = replace(
        documented("Caddy"),
        (f"{HOST} {{\n", f"{HOST}:{port} {{\n    bind 127.0.0.1\n    tls {certificate} {certificate}\n"),
        ("127.0.0.1:8080", gateway),
    )
    path = directory / "Caddyfile"
    path.write_text(f"{{\n    admin off\n    auto_https disable_redirects\n}}\n{server}")
    return ["run", "--config", str(path), "--adapter", "caddyfile"]


@asynccontextmanager
async def run_proxy(
    program: str, configure: Callable[[Path, int, Path, str], list[str]], directory: Path, stack: Stack
) -> AsyncIterator[Curl]:
    executable = shutil.which(program, path="/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin")
    if executable is None or shutil.which("curl") is None:
        pytest.skip(f"{program} or curl is not on this machine")
    port, certificate = free_port(), create_certificate(HOST, directory)
    arguments = configure(directory, port, certificate, urlsplit(stack.gateway_url).netloc)
    environment = {**child_environment(), "XDG_DATA_HOME": str(directory), "XDG_CONFIG_HOME": str(directory)}
    log = directory / "proxy.log"
    process = Process(program, [executable, *arguments], log=log, env=environment)
    await process.start()
    curl = Curl(port, certificate)

    async def serves() -> bool:
        assert process.running, process.tail_log()
        return (await curl.request("config"))[0] != "0 000"

    try:
        await wait_until(serves, description=f"{program} serves requests")
        yield curl
    finally:
        await process.stop()


async def count_forwarded(tenant: TenantFixture, stack: Stack) -> float:
    """How many requests came with X-Forwarded-For. The shared gateway trusts no proxy, but counts them."""
    async with tenant.api.http.get(f"{stack.processes('gateway')[0].internal_url}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
        samples = [sample for family in families for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == "parley_gateway_unnamed_proxy_requests_total")


@pytest.mark.parametrize(("program", "configure"), [("nginx", configure_nginx), ("caddy", configure_caddy)])
async def test_a_documented_proxy_carries_a_visitors_stream_messages_and_uploads(
    program: str,
    configure: Callable[[Path, int, Path, str], list[str]],
    tenant: TenantFixture,
    stack: Stack,
    tmp_path: Path,
) -> None:
    visitor = tenant.new_visitor()
    large = tmp_path / "large.pdf"
    large.write_bytes(LARGE)
    before = await count_forwarded(tenant, stack)
    async with run_proxy(program, configure, tmp_path, stack) as curl:
        # The page that the proxy's host serves: the gateway knows its own host by the Host header.
        own_page = f"Origin: https://{HOST}:{curl.port}"
        config = await curl.request(f"config?{urlencode(visitor.credentials)}", "--header", own_page)
        assert config[0] == "2 200", config
        assert await count_forwarded(tenant, stack) > before, "X-Forwarded-For arrives"
        query = f"events?site_key={visitor.site_key}"
        stream = await curl.start(query, "--include", "--header", f"X-Parley-Session: {visitor.session_id}")
        try:
            assert stream.stdout is not None
            assert (await stream.stdout.readline()).startswith(b"HTTP/2 200")

            async def receive(text: str) -> None:
                """Wait until a part of the stream arrives, while the stream stays open."""
                assert stream.stdout is not None
                async with asyncio.timeout(10):
                    while text.encode() not in await stream.stdout.readline():
                        assert stream.returncode is None

            await receive("event: ready")
            asked = secrets.token_hex(8)
            result, reply = await curl.post(visitor, "stream", message=asked)
            assert (result, '"type":"done"' in reply) == ("2 200", True), reply
            await receive(asked)
            form = [f"{name}={value}" for name, value in (*visitor.credentials.items(), ("file", f"@{large}"))]
            result, uploaded = await curl.request(
                "upload-file", *(part for field in form for part in ("--form", field))
            )
            assert result == "2 200", uploaded
            file = json.loads(uploaded)["file"]
            assert file["size"] == len(LARGE)
            assert (await curl.post(visitor, "stream", message="", file_id=file["id"]))[0] == "2 200"
            await receive(file["id"])
        finally:
            stream.kill()
            await stream.wait()
