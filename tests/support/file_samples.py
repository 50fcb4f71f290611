"""Small files of every type that is accepted, with the structure that real programs write."""

from __future__ import annotations

import io
import struct
import zipfile

from support.authorization_matrix import PDF


def make_zip(*names: str, stored_first: tuple[str, bytes] | None = None) -> bytes:
    """Return a ZIP archive. `stored_first` is an entry without compression."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        if stored_first is not None:
            archive.writestr(zipfile.ZipInfo(stored_first[0]), stored_first[1])
        for name in names:
            archive.writestr(name, f"<{name}/>" * 20)
    return out.getvalue()


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def make_mp4(brand: bytes, *handlers: bytes, index_last: bool = False) -> bytes:
    """Return the boxes of an MP4 file without pictures or sound."""
    tracks = b"".join(_box(b"trak", _box(b"hdlr", bytes(8) + handler + bytes(12))) for handler in handlers)
    index, content = _box(b"moov", tracks), _box(b"mdat", bytes(100_000))
    return _box(b"ftyp", brand + bytes(4) + brand) + (content + index if index_last else index + content)


def make_webm(*codecs: bytes) -> bytes:
    header = b"\x1aE\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm\x42\x87\x81\x04"
    return (
        header + b"\x18S\x80g" + b"".join(b"\x86" + bytes([0x80 | len(codec)]) + codec for codec in codecs) + bytes(500)
    )


MP3_FRAME = b"\xff\xfb\x90\x00" + bytes(413)
"""128 kbit/s, 44.1 kHz: 417 bytes."""
WAV = (
    b"RIFF"
    + struct.pack("<I", 36)
    + b"WAVEfmt "
    + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    + b"data\0\0\0\0"
)
ODT_MIMETYPE = b"application/vnd.oasis.opendocument.text"

SAMPLES: dict[str, tuple[bytes, str, str]] = {
    "pdf": (PDF, "pdf", "application/pdf"),
    "docx": (
        make_zip("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
        "document",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "xlsx": (
        make_zip("docProps/app.xml", "xl/workbook.xml", "[Content_Types].xml"),
        "document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    "pptx": (
        make_zip("[Content_Types].xml", "ppt/presentation.xml"),
        "document",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    "odt": (
        make_zip("content.xml", "META-INF/manifest.xml", stored_first=("mimetype", ODT_MIMETYPE)),
        "document",
        ODT_MIMETYPE.decode(),
    ),
    "txt": ("Grüße, 你好, a < b && b > c".encode(), "text", "text/plain"),
    "csv": (b"name;price\nTea;4.90\n", "text", "text/plain"),
    "mp3": (MP3_FRAME * 3, "audio", "audio/mpeg"),
    "mp3 with tags": (b"ID3\x04\0\0\0\0\0\x7f" + bytes(127) + MP3_FRAME * 2, "audio", "audio/mpeg"),
    "m4a": (make_mp4(b"M4A ", b"soun"), "audio", "audio/mp4"),
    "voice note in mp4": (make_mp4(b"iso5", b"soun"), "audio", "audio/mp4"),
    "ogg": (b"OggS\0\x02" + bytes(22) + b"OpusHead" + bytes(60), "audio", "audio/ogg"),
    "wav": (WAV, "audio", "audio/wav"),
    "webm audio": (make_webm(b"A_OPUS"), "audio", "audio/webm"),
    "webm video": (make_webm(b"V_VP8", b"A_OPUS"), "video", "video/webm"),
    "mp4": (make_mp4(b"isom", b"soun", b"vide"), "video", "video/mp4"),
    "mp4 with its index at the end": (make_mp4(b"isom", b"vide", b"soun", index_last=True), "video", "video/mp4"),
}
"""Content, kind and content type, by name."""

REFUSED: dict[str, bytes] = {
    "html": b"<!doctype html><script>alert(1)</script>",
    "html after text": b"Dear customer,\n" * 300 + b"<script src=//evil.test></script>",
    "html in upper case": b"  <HTML><BODY onload=alert(1)>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "xml": b"<?xml version='1.0'?><a/>",
    "php": b"<?php system($_GET['c']); ?>",
    "tag at the end": b"text <script",
    "utf-16 text": "Hello".encode("utf-16"),
    "latin-1 text": "Grüße".encode("latin-1"),
    "control characters": b"abc\x00def",
    "program": b"MZ\x90\0" + bytes(200),
    "elf": b"\x7fELF" + bytes(200),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(50),
    "zip": make_zip("a.txt"),
    "jar": make_zip("META-INF/MANIFEST.MF", "A.class"),
    "docx with macros": make_zip("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"),
    "docx and xlsx at once": make_zip("[Content_Types].xml", "word/document.xml", "xl/workbook.xml"),
    "docx with something after it": SAMPLES["docx"][0] + b"<script>",
    "docx with something before it": b"#!/bin/sh\n" + SAMPLES["docx"][0],
    "odt whose type is compressed": make_zip("mimetype", "content.xml"),
    "truncated docx": SAMPLES["docx"][0][:-30],
    "truncated pdf": PDF[:40],
    "pdf with something before it": b"\0\1" + PDF,
    "matroska": make_webm(b"A_OPUS").replace(b"\x84webm", b"\x88matroska"),
    "webm of an unknown codec": make_webm(b"V_THEORA"),
    "ogg video": b"OggS\0\x02" + bytes(22) + b"\x80theora" + bytes(60),
    "avi": b"RIFF\0\0\0\0AVI LIST" + bytes(50),
    "heic": make_mp4(b"heic"),
    "single mp3 header": MP3_FRAME,
}
"""Contents that are refused, by name."""
