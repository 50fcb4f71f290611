"""Re-encodes images in a process of its own, one at a time, with a bounded queue."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import sys
from asyncio.subprocess import PIPE, Process

from parley.chat import metrics
from parley.chat.timeouts import IMAGE_PROCESS_IDLE_SECONDS, SANITIZE_TIMEOUT_SECONDS
from parley.chat.uploads.errors import ImageTooLarge, NotAnImage, TooManyImages
from parley.chat.uploads.image_requests import REENCODE, SCALE_DOWN
from parley.chat.uploads.model import SanitizedImage
from parley.common.observability.logging import get_logger

log = get_logger(__name__)

MAX_IMAGE_BYTES = 10 * 1024 * 1024
_LENGTH = struct.Struct(">I")
_MAX_WAITING = 16
_ERRORS = {error.code: error for error in (NotAnImage, ImageTooLarge)}


class WorkerImageSanitizer:
    """Implements ImageSanitizer. The process starts with the first image and ends when there has been none for a while.

    An image that kills the process, or takes too long, is refused; the next image gets a new process.
    """

    def __init__(self, *, max_waiting: int = _MAX_WAITING, timeout_seconds: float = SANITIZE_TIMEOUT_SECONDS) -> None:
        self._max_waiting = max_waiting
        self._timeout_seconds = timeout_seconds
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._idle_timer: asyncio.TimerHandle | None = None

    async def sanitize(self, data: bytes) -> SanitizedImage:
        """Decode and re-encode an image. Raises NotAnImage, ImageTooLarge, TooManyImages."""
        return await self._process_image(REENCODE, data)

    async def scale_down(self, data: bytes) -> SanitizedImage:
        """A small JPEG of an image. Raises NotAnImage, ImageTooLarge, TooManyImages."""
        return await self._process_image(SCALE_DOWN, data)

    async def _process_image(self, kind: bytes, data: bytes) -> SanitizedImage:
        if not data:
            raise NotAnImage
        if len(data) > MAX_IMAGE_BYTES:
            raise ImageTooLarge
        if self._waiting >= self._max_waiting:
            raise TooManyImages
        self._waiting += 1
        metrics.IMAGES_WAITING.inc()
        try:
            async with self._turn:
                with metrics.IMAGE_SECONDS.time():
                    return await self._request(kind + data)
        finally:
            self._waiting -= 1
            metrics.IMAGES_WAITING.dec()

    async def close(self) -> None:
        """End the process."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _request(self, data: bytes) -> SanitizedImage:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._exchange(await self._start(), data)
        except (TimeoutError, asyncio.IncompleteReadError, OSError) as exc:
            metrics.IMAGE_WORKER_FAILURES.inc()
            log.warning("image_worker_failed", error=type(exc).__name__, bytes=len(data))
            await self.close()
            raise ImageTooLarge("The image is too complex to be processed.") from exc
        except asyncio.CancelledError:
            # Its answer would be read as that of the next image.
            await self.close()
            raise
        finally:
            self._idle_timer = asyncio.get_running_loop().call_later(IMAGE_PROCESS_IDLE_SECONDS, self._end_idle_process)

    async def _start(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "parley.chat.uploads.image_worker", stdin=PIPE, stdout=PIPE, env={}
            )
        return self._process

    async def _exchange(self, process: Process, data: bytes) -> SanitizedImage:
        assert process.stdin is not None
        process.stdin.write(_LENGTH.pack(len(data)))
        process.stdin.write(data)
        await process.stdin.drain()
        header = json.loads(await _read(process))
        image = await _read(process)
        if error := header.get("error"):
            raise _ERRORS[error]
        return SanitizedImage(image, header["extension"], header["media_type"], header["width"], header["height"])

    def _end_idle_process(self) -> None:
        """At the end of its input the process exits."""
        if self._process is not None and self._process.stdin is not None and not self._turn.locked():
            self._process.stdin.close()
            self._process = None


async def _read(process: Process) -> bytes:
    assert process.stdout is not None
    (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
    return await process.stdout.readexactly(length)
