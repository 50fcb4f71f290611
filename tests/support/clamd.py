"""A local server that speaks the part of clamd's protocol that scans streams (clamd(8), INSTREAM)."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The test file that every scanner reports."""


@dataclass
class FakeClamd:
    """Finds the EICAR test file. `answer` replaces its verdict."""

    answer: bytes | None = None
    scanned: list[bytes] = field(default_factory=list)
    address: str = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
            content = b""
            while length := struct.unpack(">I", await reader.readexactly(4))[0]:
                content += await reader.readexactly(length)
            self.scanned.append(content)
            verdict = b"stream: Eicar-Signature FOUND" if EICAR in content else b"stream: OK"
            writer.write((verdict if self.answer is None else self.answer) + b"\0")
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The client gave up.
        finally:
            writer.close()


@asynccontextmanager
async def run_fake_clamd(unix_path: str | None = None) -> AsyncIterator[FakeClamd]:
    fake = FakeClamd()
    if unix_path is not None:
        server: asyncio.Server = await asyncio.start_unix_server(fake.handle, unix_path)
        fake.address = f"unix:{unix_path}"
    else:
        server = await asyncio.start_server(fake.handle, "127.0.0.1", 0)
        fake.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield fake
