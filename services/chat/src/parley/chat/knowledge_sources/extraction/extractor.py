"""Reads documents in a process of its own, one at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import asdict
from typing import Any

from parley.chat import metrics
from parley.chat.knowledge_sources.errors import DocumentError
from parley.chat.knowledge_sources.extraction.model import ReadDocument, ReadRequest, Sitemap, to_content
from parley.chat.timeouts import EXTRACTION_PROCESS_IDLE_SECONDS, EXTRACTION_TIMEOUT_SECONDS
from parley.common.observability.logging import get_logger

log = get_logger(__name__)

_LENGTH = struct.Struct(">I")
_WORKER = "parley.chat.knowledge_sources.extraction.worker"


class WorkerExtractor:
    """An Extractor. The process starts with the first document and ends when there has been none for a while.

    A document that kills the process, or takes too long, is refused; the next one gets a new process.
    """

    name = "document-extractor"

    def __init__(self, *, timeout_seconds: float = EXTRACTION_TIMEOUT_SECONDS) -> None:
        self._timeout_seconds = timeout_seconds
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._idle_timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Do nothing: the process starts with the first document."""

    async def stop(self) -> None:
        """End the process."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        await self._end_process()

    def unready_reason(self) -> str | None:
        return None

    async def read(self, data: bytes, request: ReadRequest) -> ReadDocument:
        """Raises DocumentError."""
        reply = await self._ask({"task": "document", "request": asdict(request)}, data)
        content = to_content(reply["content"])
        return ReadDocument(content, reply["canonical"], reply["noindex"], tuple(reply["links"]))

    async def read_sitemap(self, data: bytes) -> Sitemap:
        """Raises DocumentError."""
        reply = await self._ask({"task": "sitemap"}, data)
        return Sitemap(tuple(reply["pages"]), tuple(reply["sitemaps"]))

    async def _ask(self, header: dict[str, Any], data: bytes) -> dict[str, Any]:
        async with self._turn:
            if self._idle_timer is not None:
                self._idle_timer.cancel()
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    reply = await _exchange(await self._start_process(), header, data)
            except (TimeoutError, asyncio.IncompleteReadError, OSError) as exc:
                metrics.EXTRACTION_WORKER_FAILURES.inc()
                log.warning("extraction_worker_failed", error=type(exc).__name__, bytes=len(data))
                await self._end_process()
                raise DocumentError("too_complex", "The document is too large or too complex to be read.") from exc
            except asyncio.CancelledError:
                # Its answer would be read as that of the next document.
                await self._end_process()
                raise
            finally:
                loop = asyncio.get_running_loop()
                self._idle_timer = loop.call_later(EXTRACTION_PROCESS_IDLE_SECONDS, self._end_idle_process)
        if "code" in reply:
            raise DocumentError(reply["code"], reply["message"])
        return reply

    async def _start_process(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", _WORKER, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}
            )
        return self._process

    async def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _end_idle_process(self) -> None:
        """At the end of its input the process exits."""
        if self._process is not None and self._process.stdin is not None and not self._turn.locked():
            self._process.stdin.close()
            self._process = None


async def _exchange(process: Process, header: dict[str, Any], data: bytes) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    for part in (json.dumps(header).encode(), data):
        process.stdin.write(_LENGTH.pack(len(part)))
        process.stdin.write(part)
    await process.stdin.drain()
    (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
    reply: dict[str, Any] = json.loads(await process.stdout.readexactly(length))
    return reply
