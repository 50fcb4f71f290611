"""Fetches pages of websites: only from addresses that the SSRF guard allows, and one request at a time to a server.

Every response is bounded in time and size, before and after decompression.
"""

from __future__ import annotations

import asyncio
import ssl
import time
import zlib
from urllib.parse import urlsplit

import aiohttp

from parley.chat import metrics
from parley.chat.knowledge_sources.errors import DocumentError, HostBusy
from parley.chat.knowledge_sources.model import Validators
from parley.chat.knowledge_sources.ports import FetchedPage, ServerTurns, Visit
from parley.chat.knowledge_sources.urls import normalize_url
from parley.chat.timeouts import (
    BUSY_SERVER_DELAY_SECONDS,
    PAGE_CONNECT_TIMEOUT_SECONDS,
    PAGE_READ_TIMEOUT_SECONDS,
    PAGE_TIMEOUT_SECONDS,
)
from parley.common.http.guarded_resolver import GuardedResolver
from parley.common.http.retry_after import parse_retry_after
from parley.common.http.ssrf_guard import EndpointRejected, SsrfGuard, is_ip_address, is_public

_MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK_BYTES = 64 * 1024
_ACCEPTED = "text/html,application/xhtml+xml,application/pdf;q=0.9,text/plain;q=0.8,text/markdown;q=0.8,*/*;q=0.1"


class HttpFetcher:
    """A component of the service, and the `Web` of syncs."""

    name = "knowledge-fetcher"

    def __init__(self, guard: SsrfGuard, turns: ServerTurns, user_agent: str) -> None:
        self._guard = guard
        self._turns = turns
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Do nothing: connections are opened when there is something to fetch."""

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    def unready_reason(self) -> str | None:
        return None

    async def fetch(
        self, url: str, visit: Visit, *, validators: Validators | None = None, max_bytes: int
    ) -> FetchedPage:
        headers = {}
        if validators is not None and validators.etag:
            headers["If-None-Match"] = validators.etag
        if validators is not None and validators.last_modified:
            headers["If-Modified-Since"] = validators.last_modified
        for _ in range(_MAX_REDIRECTS + 1):
            pause = await visit(url)
            async with self._turns.acquire(urlsplit(url).netloc, pause):
                page = await self._request(url, headers, max_bytes)
            if isinstance(page, FetchedPage):
                return page
            url = page
        raise DocumentError("too_many_redirects", "The address redirects too often.")

    async def _request(self, url: str, headers: dict[str, str], max_bytes: int) -> FetchedPage | str:
        """Return the page, or the address that it redirects to."""
        if not self._may_connect(url):
            raise _rejected()
        started = time.monotonic()
        try:
            async with (
                asyncio.timeout(PAGE_TIMEOUT_SECONDS),
                self._open_session().get(url, headers=headers, allow_redirects=False) as response,
            ):
                return await _read_response(response, url, max_bytes)
        except TimeoutError as exc:
            raise DocumentError("timeout", "The server did not answer in time.") from exc
        except EndpointRejected as exc:
            raise _rejected() from exc
        except (aiohttp.ClientSSLError, ssl.SSLError) as exc:
            raise DocumentError("certificate", "The server has no valid certificate for this name.") from exc
        except (aiohttp.ClientError, OSError, zlib.error, ValueError) as exc:
            raise DocumentError("unreachable", "The server cannot be reached, or its answer is damaged.") from exc
        finally:
            metrics.KNOWLEDGE_FETCH_SECONDS.observe(time.monotonic() - started)

    def _may_connect(self, url: str) -> bool:
        """Check what the resolver does not see: an address in place of a host name."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if self._guard.is_exempt(host, parts.port or (443 if parts.scheme == "https" else 80)):
            return True
        return not is_ip_address(host) or is_public(host)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(
                total=None, sock_connect=PAGE_CONNECT_TIMEOUT_SECONDS, sock_read=PAGE_READ_TIMEOUT_SECONDS
            )
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=GuardedResolver(self._guard), limit_per_host=2),
                timeout=timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self._user_agent, "Accept": _ACCEPTED, "Accept-Encoding": "gzip"},
                # A small body could decompress to more than fits into memory: it is done here, within bounds.
                auto_decompress=False,
            )
        return self._session


async def _read_response(response: aiohttp.ClientResponse, url: str, max_bytes: int) -> FetchedPage | str:
    headers, status = response.headers, response.status
    if status in _REDIRECTS and "Location" in headers:
        target = normalize_url(headers["Location"], url)
        if target is None:
            raise DocumentError("bad_redirect", "The address redirects to what is no web address.")
        return target
    validators = Validators(_bounded(headers.get("ETag")), _bounded(headers.get("Last-Modified")))
    if status == 304:
        return FetchedPage(url, None, validators=validators)
    if status != 200:
        raise _to_error(response)
    return FetchedPage(
        url,
        await _read_body(response, max_bytes),
        response.content_type,
        response.charset,
        ",".join(headers.getall("X-Robots-Tag", [])),
        validators,
    )


def _to_error(response: aiohttp.ClientResponse) -> DocumentError | HostBusy:
    status = response.status
    if status in (429, 503):
        wait = parse_retry_after(response.headers.get("Retry-After"))
        return HostBusy(BUSY_SERVER_DELAY_SECONDS if wait is None else wait.total_seconds())
    if status in (404, 410):
        return DocumentError("not_found", "The server does not have this page.")
    if status in (401, 403):
        return DocumentError("access_denied", "The server refuses access to this page.")
    code = "refused" if 400 <= status < 500 else "server_error"
    return DocumentError(code, f"The server answered with status {status}.")


def _rejected() -> DocumentError:
    return DocumentError("address_rejected", "The address does not lead to the public internet.")


async def _read_body(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Raises DocumentError as soon as the body is too large, transferred or unpacked."""
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise DocumentError("unsupported_encoding", "The server compresses the page in a way that was not asked for.")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16) if "gzip" in encoding else None
    body = bytearray()
    received = 0
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        received += len(chunk)
        body += unpacker.decompress(chunk, max_bytes + 1 - len(body)) if unpacker is not None else chunk
        if received > max_bytes or len(body) > max_bytes:
            raise DocumentError("too_large", f"The page is larger than {max_bytes // 1024} kB.")
    if unpacker is not None and not unpacker.eof:
        raise DocumentError("unreachable", "The server cannot be reached, or its answer is damaged.")
    return bytes(body)


def _bounded(header: str | None) -> str | None:
    return header if header is not None and len(header) <= 200 else None
