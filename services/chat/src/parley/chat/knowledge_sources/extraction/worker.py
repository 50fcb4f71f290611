"""The process that reads documents: `python -m parley.chat.knowledge_sources.extraction.worker`.

It reads requests from standard input and writes answers to standard output. A document that takes too much memory ends
this process at worst, never the service. It gets no secrets in its environment.
"""

from __future__ import annotations

import contextlib
import json
import resource
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from parley.chat.knowledge_sources.errors import DocumentError
from parley.chat.knowledge_sources.extraction.files import read_csv, read_docx, read_markdown, read_pdf, read_text
from parley.chat.knowledge_sources.extraction.html import read_html
from parley.chat.knowledge_sources.extraction.model import DocumentType, ReadDocument, ReadRequest, from_content
from parley.chat.knowledge_sources.extraction.sitemaps import read_sitemap

LENGTH = struct.Struct(">I")
MAX_DATA_BYTES = 320 * 1024 * 1024
"""The container has 512 MB, and this process needs little of it while it reads usual pages."""

READERS: Mapping[DocumentType, Callable[[bytes, ReadRequest], ReadDocument]] = {
    "html": read_html,
    "pdf": read_pdf,
    "docx": read_docx,
    "markdown": read_markdown,
    "text": read_text,
    "csv": read_csv,
}


def answer(header: dict[str, Any], data: bytes) -> dict[str, Any]:
    try:
        if header["task"] == "sitemap":
            return asdict(read_sitemap(data))
        request = ReadRequest(**header["request"])
        document = READERS[request.type](data, request)
    except DocumentError as exc:
        return {"code": exc.code, "message": exc.message}
    except (MemoryError, RecursionError):
        return {"code": "too_complex", "message": "The document is too large or too complex to be read."}
    return {
        "content": from_content(document.content),
        "canonical": document.canonical,
        "noindex": document.noindex,
        "links": document.links,
    }


def main() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_DATA_BYTES, MAX_DATA_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # If the whole machine runs out of memory, this process is the first to go.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while header := _read(source):
        reply = json.dumps(answer(json.loads(header), _read(source))).encode()
        target.write(LENGTH.pack(len(reply)))
        target.write(reply)
        target.flush()


def _read(source: BinaryIO) -> bytes:
    """Return the next part; nothing at the end of the input."""
    length = source.read(LENGTH.size)
    return source.read(LENGTH.unpack(length)[0]) if len(length) == LENGTH.size else b""


if __name__ == "__main__":
    main()
