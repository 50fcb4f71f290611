"""Decodes documents whose encoding is declared wrongly, or not at all."""

from __future__ import annotations

import codecs
import re

_META = re.compile(rb"<meta[^>]{0,200}charset\s{0,5}=\s{0,5}[\"']?\s{0,5}([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_META_BYTES = 4096
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ASCII_NAMES = {"ascii", "iso8859-1"}
"""Under which browsers understand windows-1252, which contains both."""


def decode(data: bytes, declared: str | None = None) -> str:
    """Decode by the byte order mark, the declared charset, the one that a page names, or UTF-8, if that fits.

    What fits none of them is read as windows-1252, as browsers do.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace")
    named = _META.search(data[:_META_BYTES])
    for candidate in (declared, named[1].decode("ascii") if named else None, "utf-8"):
        text = _try(data, candidate)
        if text is not None:
            return text
    return data.decode("cp1252", "replace")


def _try(data: bytes, name: str | None) -> str | None:
    try:
        codec = codecs.lookup((name or "").strip("\"' "))
        return data.decode("cp1252" if codec.name in _ASCII_NAMES else codec.name)
    except (LookupError, UnicodeError, ValueError):
        return None
