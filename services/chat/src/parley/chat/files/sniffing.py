"""Finds a file's type in its content while it arrives. Nothing is decoded: only signatures and structure are read.

The list of types is short. Whatever is not on it, or is damaged, is refused. A name or media type that the client
sends has no part in it.
"""

from __future__ import annotations

import codecs
import re
import struct

from parley.chat.files.errors import FileTypeNotAllowed
from parley.chat.files.model import FileType

PDF = FileType("pdf", "application/pdf", ("pdf",))
TEXT = FileType("text", "text/plain", ("txt", "csv", "md", "log"))
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = FileType("document", f"{_OFFICE}wordprocessingml.document", ("docx",))
XLSX = FileType("document", f"{_OFFICE}spreadsheetml.sheet", ("xlsx",))
PPTX = FileType("document", f"{_OFFICE}presentationml.presentation", ("pptx",))
ODT = FileType("document", "application/vnd.oasis.opendocument.text", ("odt",))
MP3 = FileType("audio", "audio/mpeg", ("mp3",))
M4A = FileType("audio", "audio/mp4", ("m4a", "mp4"))
OGG = FileType("audio", "audio/ogg", ("ogg", "oga", "opus"))
WAV = FileType("audio", "audio/wav", ("wav",))
WEBM_AUDIO = FileType("audio", "audio/webm", ("webm", "weba"))
WEBM_VIDEO = FileType("video", "video/webm", ("webm",))
MP4 = FileType("video", "video/mp4", ("mp4", "m4v"))


_EARLY_BYTES = 4096
"""Enough to refuse what has no signature and is no text, before the rest arrives."""
_HEAD_BYTES = 64 * 1024
_TAIL_BYTES = 256 * 1024
"""Holds the directory of a document of some thousand parts, and the index of a film."""
_END_OF_PDF_BYTES = 2048
_OVERLAP_BYTES = 32

_RUNNABLE_MARKUP = re.compile(
    rb"<(?:script|svg|iframe|object|embed|html|body|applet|meta|math)[\s>/]|<!doctype|<\?xml|<\?php|<%", re.IGNORECASE
)
"""Markup that some program would run or take for a page."""
_BINARY = bytes(byte for byte in range(32) if byte not in b"\t\n\f\r\x1b") + b"\x7f"
_NOT_IN_TEXT = re.compile(b"[" + re.escape(_BINARY) + b"]")
_MP4_HANDLER = re.compile(rb"hdlr.{8}(vide|soun)", re.DOTALL)
_MP4_BRANDS = frozenset(
    (
        b"isom",
        b"iso2",
        b"iso4",
        b"iso5",
        b"iso6",
        b"mp41",
        b"mp42",
        b"avc1",
        b"dash",
        b"M4V ",
        b"M4A ",
        b"M4B ",
        b"MSNV",
    )
)
_OGG_CODECS = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC", b"Speex   ")
_WEBM_AUDIO_CODECS = (b"A_OPUS", b"A_VORBIS")
_WEBM_VIDEO_CODECS = (b"V_VP8", b"V_VP9", b"V_AV1", b"V_MPEG4/ISO/AVC")
_OFFICE_FOLDERS = ((b"word/", DOCX), (b"xl/", XLSX), (b"ppt/", PPTX))


class ContentSniffer:
    """Takes a file in chunks. Holds at most its first 64 KB and its last 256 KB."""

    def __init__(self) -> None:
        self.size = 0
        self._head = bytearray()
        self._tail = bytearray()
        self._text = _TextCheck()
        self._checked_early = False

    def feed(self, chunk: bytes) -> None:
        """Raises FileTypeNotAllowed as soon as the beginning shows it."""
        self.size += len(chunk)
        if len(self._head) < _HEAD_BYTES:
            self._head += chunk[: _HEAD_BYTES - len(self._head)]
        self._tail += chunk
        if len(self._tail) > 2 * _TAIL_BYTES:
            del self._tail[:-_TAIL_BYTES]
        self._text.feed(chunk)
        if not self._checked_early and self.size >= _EARLY_BYTES:
            self._checked_early = True
            if not self._has_signature() and not self._text.is_text:
                raise FileTypeNotAllowed

    def finish(self) -> FileType:
        """Return the type of the complete file. Raises FileTypeNotAllowed."""
        head, tail = bytes(self._head), bytes(self._tail[-_TAIL_BYTES:])
        file_type = _find_binary_type(head, tail)
        if file_type is None and not self._has_signature() and self._text.finish():
            file_type = TEXT
        if file_type is None:
            raise FileTypeNotAllowed
        return file_type

    def _has_signature(self) -> bool:
        head = bytes(self._head[:64])
        return (
            head.startswith((b"%PDF-", b"PK\x03\x04", b"ID3", b"OggS", b"RIFF", b"\x1aE\xdf\xa3"))
            or head[4:8] == b"ftyp"
            or _is_mp3_frame(head)
        )


class _TextCheck:
    """Whether everything is UTF-8 without control characters and without markup that runs."""

    def __init__(self) -> None:
        self.is_text = True
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._before = b""

    def feed(self, chunk: bytes) -> None:
        if not self.is_text:
            return
        try:
            self._decoder.decode(chunk)
        except UnicodeDecodeError:
            self.is_text = False
            return
        joined = self._before + chunk
        if _NOT_IN_TEXT.search(chunk) or _RUNNABLE_MARKUP.search(joined):
            self.is_text = False
        self._before = joined[-_OVERLAP_BYTES:]

    def finish(self) -> bool:
        try:
            self._decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        # A tag may end the file.
        return self.is_text and not _RUNNABLE_MARKUP.search(self._before + b" ")


def _find_binary_type(head: bytes, tail: bytes) -> FileType | None:
    if head.startswith(b"%PDF-"):
        return PDF if b"%%EOF" in tail[-_END_OF_PDF_BYTES:] else None
    if head.startswith(b"PK\x03\x04"):
        return _find_document_type(head, tail)
    if head.startswith(b"\x1aE\xdf\xa3"):
        return _find_webm_type(head)
    if head.startswith(b"OggS"):
        first_page = head[:256]
        return OGG if any(codec in first_page for codec in _OGG_CODECS) else None
    if head.startswith(b"RIFF"):
        return WAV if head[8:12] == b"WAVE" else None
    if head[4:8] == b"ftyp":
        return _find_mp4_type(head, tail)
    if _is_mp3(head):
        return MP3
    return None


def _find_document_type(head: bytes, tail: bytes) -> FileType | None:
    """Find the type by the names in the directory of a ZIP archive that begins and ends with it. Macros are refused."""
    names = _list_zip_names(tail)
    if names is None or any(name.lower().endswith((b"vbaproject.bin", b".exe", b".js", b".vbs")) for name in names):
        return None
    if b"mimetype" in names:
        # OpenDocument: the first entry, stored without compression.
        start = 30 + len(b"mimetype")
        is_first = head[26:28] == struct.pack("<H", 8) and head[30:start] == b"mimetype"
        declared = ODT.content_type.encode() + b"PK"
        return ODT if is_first and head[start:].startswith(declared) and b"content.xml" in names else None
    if b"[Content_Types].xml" not in names:
        return None
    matching = [file_type for folder, file_type in _OFFICE_FOLDERS if any(name.startswith(folder) for name in names)]
    return matching[0] if len(matching) == 1 else None


def _list_zip_names(tail: bytes) -> list[bytes] | None:
    """Read the central directory, which has to be at the very end. None if it is not, or is damaged."""
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        return None
    count, directory_size, _offset, comment_length = struct.unpack("<HIIH", tail[end + 10 : end + 22])
    if end + 22 + comment_length != len(tail) or directory_size > end:
        return None
    names = []
    position = end - directory_size
    for _ in range(count):
        if tail[position : position + 4] != b"PK\x01\x02" or position + 46 > end:
            return None
        name_length, extra_length, entry_comment_length = struct.unpack("<HHH", tail[position + 28 : position + 34])
        names.append(tail[position + 46 : position + 46 + name_length])
        position += 46 + name_length + extra_length + entry_comment_length
    return names if position == end else None


def _find_webm_type(head: bytes) -> FileType | None:
    if b"\x42\x82\x84webm" not in head[:128]:
        return None
    if any(codec in head for codec in _WEBM_VIDEO_CODECS):
        return WEBM_VIDEO
    return WEBM_AUDIO if any(codec in head for codec in _WEBM_AUDIO_CODECS) else None


def _find_mp4_type(head: bytes, tail: bytes) -> FileType | None:
    brand = head[8:12]
    if brand not in _MP4_BRANDS:
        return None
    handlers = {match[1] for part in (head, tail) for match in _MP4_HANDLER.finditer(part)}
    if b"vide" in handlers:
        return MP4
    return M4A if b"soun" in handlers or brand in (b"M4A ", b"M4B ") else MP4


def _is_mp3(head: bytes) -> bool:
    if head.startswith(b"ID3"):
        # Version 2.2 to 2.4, and a size of four bytes of seven bits.
        return len(head) > 10 and 2 <= head[3] <= 4 and all(byte < 0x80 for byte in head[6:10])
    if not _is_mp3_frame(head):
        return False
    length = _mp3_frame_length(head)
    return length is not None and _is_mp3_frame(head[length:])


def _is_mp3_frame(data: bytes) -> bool:
    """Whether there is a header of MPEG audio, layer III."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE6 != 0xE2:
        return False
    return data[1] & 0x18 != 0x08 and data[2] >> 4 not in (0, 15) and data[2] >> 2 & 3 != 3


_BITRATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAMPLE_RATES = (44_100, 48_000, 32_000)


def _mp3_frame_length(data: bytes) -> int | None:
    version = data[1] >> 3 & 3
    bitrate = (_BITRATES_1 if version == 3 else _BITRATES_2)[data[2] >> 4] * 1000
    divisor = {3: 1, 2: 2, 0: 4}.get(version)
    if divisor is None:
        return None
    sample_rate = _SAMPLE_RATES[data[2] >> 2 & 3] // divisor
    return (144 if version == 3 else 72) * bitrate // sample_rate + (data[2] >> 1 & 1)
