"""Scans files with clamd, by its own protocol (clamd(8), INSTREAM), over TCP or a Unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from parley.chat.files.errors import FileInfected, ScannerUnavailable
from parley.chat.timeouts import SCANNER_CONNECT_TIMEOUT_SECONDS, SCANNER_TIMEOUT_SECONDS
from parley.common.observability.logging import get_logger

log = get_logger(__name__)

_MAX_RESPONSE_BYTES = 4096
_FAILURES = (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError)


class ClamdScanner:
    """Implements FileScanner. A scanner that does not answer refuses: a file is not stored unscanned."""

    def __init__(self, address: str) -> None:
        """`address` is `host:port` or `unix:/path`."""
        self._address = address

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ClamdScan]:
        try:
            async with asyncio.timeout(SCANNER_CONNECT_TIMEOUT_SECONDS):
                reader, writer = await self._connect()
        except _FAILURES as exc:
            raise _unavailable(exc) from exc
        try:
            scan = ClamdScan(reader, writer)
            await scan.begin()
            yield scan
        finally:
            writer.close()
            with contextlib.suppress(*_FAILURES):
                await writer.wait_closed()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._address.startswith("unix:"):
            return await asyncio.open_unix_connection(self._address.removeprefix("unix:"))
        host, _, port = self._address.rpartition(":")
        return await asyncio.open_connection(host.strip("[]"), int(port))


class ClamdScan:
    """One file on its way through clamd."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def begin(self) -> None:
        await self._write(b"zINSTREAM\0")

    async def feed(self, chunk: bytes) -> None:
        """Raises ScannerUnavailable."""
        await self._write(struct.pack(">I", len(chunk)) + chunk)

    async def finish(self) -> None:
        """Wait for the verdict. Raises FileInfected, ScannerUnavailable."""
        await self._write(struct.pack(">I", 0))
        try:
            async with asyncio.timeout(SCANNER_TIMEOUT_SECONDS):
                response = await self._reader.read(_MAX_RESPONSE_BYTES)
        except _FAILURES as exc:
            raise _unavailable(exc) from exc
        verdict = response.rstrip(b"\0\n").decode("utf-8", "replace")
        if verdict.endswith("FOUND"):
            log.warning("file_infected", verdict=verdict[:200])
            raise FileInfected
        if not verdict.endswith(": OK"):
            raise _unavailable(RuntimeError(verdict[:200] or "no answer"))

    async def _write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            async with asyncio.timeout(SCANNER_TIMEOUT_SECONDS):
                await self._writer.drain()
        except _FAILURES as exc:
            raise _unavailable(exc) from exc


def _unavailable(exc: Exception) -> ScannerUnavailable:
    log.warning("scanner_unavailable", error=repr(exc)[:300])
    return ScannerUnavailable()
