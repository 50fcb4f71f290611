"""The process that decodes images: `python -m parley.chat.uploads.image_worker`.

It reads requests from standard input and writes answers to standard output, each a length and as many bytes. An image
that takes too much memory ends this process at worst, never the service. It gets no secrets in its environment.
"""

from __future__ import annotations

import contextlib
import json
import resource
import struct
import sys
from pathlib import Path
from typing import BinaryIO

from parley.chat.uploads.errors import ImageTooLarge, NotAnImage
from parley.chat.uploads.image_codec import reencode, scale_down
from parley.chat.uploads.image_requests import SCALE_DOWN

LENGTH = struct.Struct(">I")
MAX_DATA_BYTES = 352 * 1024 * 1024
"""Enough for an image of 40 megapixels with transparency that has to be turned; the container has 512 MB."""


def answer(data: bytes) -> tuple[dict[str, object], bytes]:
    try:
        image = scale_down(data[1:]) if data[:1] == SCALE_DOWN else reencode(data[1:])
    except (NotAnImage, ImageTooLarge) as exc:
        return {"error": exc.code}, b""
    header: dict[str, object] = {"extension": image.extension, "media_type": image.media_type}
    return header | {"width": image.width, "height": image.height}, image.data


def main() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_DATA_BYTES, MAX_DATA_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # If the whole machine runs out of memory, this process is the first to go.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while data := _read(source):
        header, image = answer(data)
        for part in (json.dumps(header).encode(), image):
            target.write(LENGTH.pack(len(part)))
            target.write(part)
        target.flush()


def _read(source: BinaryIO) -> bytes:
    """Return the next request; nothing at the end of the input."""
    length = source.read(LENGTH.size)
    return source.read(LENGTH.unpack(length)[0]) if len(length) == LENGTH.size else b""


if __name__ == "__main__":
    main()
