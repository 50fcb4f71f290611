"""The name of a file as it is shown, and as downloads are saved."""

from __future__ import annotations

import unicodedata

from parley.chat.files.model import FileType

MAX_NAME_LENGTH = 120
_MAX_NAME_BYTES = 240
"""Less than file systems allow for a name."""
_FORBIDDEN = frozenset('<>:"|?*;%')
"""What file systems, shells of Windows, or headers give a meaning to."""
_JOINERS = "\u200c\u200d"
"""Invisible, but parts of words and of emoji."""
_RESERVED = frozenset(
    ("con", "prn", "aux", "nul", *(f"com{number}" for number in range(10)), *(f"lpt{number}" for number in range(10)))
)
"""Names of devices in Windows."""


def sanitize_name(name: str, file_type: FileType) -> str:
    """Return a name without a path, control characters or direction overrides, and with an extension of its type."""
    last_part = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(_clean(character) for character in unicodedata.normalize("NFC", last_part))
    shown = " ".join(shown.split()).rstrip(". ")
    stem, dot, extension = shown.rpartition(".")
    if not dot or extension.lower() not in file_type.extensions:
        # `invoice.html` that is plain text must not open in a browser.
        stem, extension = shown, file_type.extensions[0]
    stem = _shorten(stem.strip(". "), len(extension) + 1) or "file"
    if stem.partition(".")[0].strip().lower() in _RESERVED:
        stem = f"_{stem}"
    return f"{stem}.{extension}"


def _clean(character: str) -> str:
    if character in _JOINERS:
        return character
    category = unicodedata.category(character)
    if category in ("Zs", "Zl", "Zp"):
        return " "
    if category[0] == "C":
        return ""
    return "_" if character in _FORBIDDEN else character


def _shorten(stem: str, extension_length: int) -> str:
    stem = stem[: MAX_NAME_LENGTH - extension_length]
    encoded = stem.encode()[: _MAX_NAME_BYTES - extension_length]
    return encoded.decode(errors="ignore").rstrip(". ")
