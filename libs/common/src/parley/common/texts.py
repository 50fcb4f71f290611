"""The rule for every text in a request: what is removed, and what is brought into one form.

Applied by RequestBody and Query to all fields, before lengths and patterns are checked. A field of which no byte
may change, such as a password, is declared with `VERBATIM`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Any, Final

import orjson

from parley.common.errors import BadRequest

VERBATIM: Final = "parley:verbatim"
"""Metadata of a field whose text stays as it is: `Annotated[str, VERBATIM]`."""

_MAX_NESTING: Final = 200
"""Levels of a body in JSON; about as many as pydantic reads. More of them would end in a RecursionError."""

# What no text needs: control characters except tab and line breaks, halves of surrogate pairs, the byte order mark,
# interlinear annotations and noncharacters.
_REMOVED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Characters of letter categories, among others, that have no shape.
INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SHOWN_CATEGORIES = frozenset("LNPS")
_OPENING = {"\u202a": "\u202c", "\u202b": "\u202c", "\u202d": "\u202c", "\u202e": "\u202c"}
_OPENING |= {"\u2066": "\u2069", "\u2067": "\u2069", "\u2068": "\u2069"}
_CLOSING = frozenset(_OPENING.values())
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_MAX_HELD_MARKS = 30
_PARAGRAPH_END = re.compile("(\r\n|[\n\r\x85\u2029])")
# An escape in JSON: a pair of surrogates, one without the other, or anything else, which is skipped as a whole.
_JSON_ESCAPE = re.compile(
    rb"\\(?:u(?:[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|([dD][89a-fA-F][0-9a-fA-F]{2}))|.)", re.DOTALL
)


def clean_text(text: str) -> str:
    """The text in its composed form (NFC), without what breaks others; empty if it would show nothing."""
    if text.isascii() and text.isprintable():
        return text if not text.isspace() else ""
    text = _SURROGATE.sub("\ufffd", _REMOVED.sub("", text))
    text = unicodedata.normalize("NFC", text)
    if not shows_something(text):
        return ""
    return close_directions(text)


def shows_something(text: str) -> bool:
    """Whether any character of a text has a shape: spaces, joiners and fillers have none."""
    return any(unicodedata.category(letter)[0] in _SHOWN_CATEGORIES and letter not in INVISIBLE for letter in text)


def close_directions(text: str) -> str:
    """End every change of direction within its paragraph, so that it does not turn what is shown next to the text."""
    if not _DIRECTIONS.search(text):
        return text
    return "".join(map(_close_paragraph, _PARAGRAPH_END.split(text)))


def without_directions(text: str) -> str:
    """The text without characters that change its direction: for names and titles, which have only one."""
    return _DIRECTIONS.sub("", text)


def _close_paragraph(text: str) -> str:
    open_: list[str] = []
    result: list[str] = []
    for letter in text:
        if closing := _OPENING.get(letter):
            open_.append(closing)
        elif letter in _CLOSING:
            if not open_ or open_[-1] != letter:
                continue  # It would end a change of direction around the text.
            open_.pop()
        result.append(letter)
    return "".join([*result, *reversed(open_)])


class TextStreamCleaner:
    """The rule for a text that comes in chunks, such as a model's reply. Changes of direction are removed.

    A chunk's last character is held back together with its marks: the next chunk may begin with another mark, or with
    the other half of a surrogate pair.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, chunk: str) -> str:
        """Return what cannot change anymore."""
        text = _join_surrogates(self._held + _DIRECTIONS.sub("", _REMOVED.sub("", chunk)))
        half = len(text) - 1 if "\ud800" <= text[-1:] <= "\udbff" else len(text)
        whole = unicodedata.normalize("NFC", _SURROGATE.sub("\ufffd", text[:half]))
        end = _last_starter(whole)
        self._held = whole[end:] + text[half:]
        return whole[:end]

    def finish(self) -> str:
        """Return what was held back to the end."""
        held, self._held = self._held, ""
        return unicodedata.normalize("NFC", _SURROGATE.sub("\ufffd", held))


def _join_surrogates(text: str) -> str:
    """Make one character of each pair of halves."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") if _SURROGATE.search(text) else text


def _last_starter(text: str) -> int:
    """Where the last character begins that marks are attached to; a long row of marks is not followed back."""
    end = len(text)
    for position in range(end - 1, max(-1, end - 1 - _MAX_HELD_MARKS), -1):
        if not unicodedata.combining(text[position]):
            return position
    return end


def clean_value(value: Any, levels: int = _MAX_NESTING) -> Any:
    """Clean all texts in a value of JSON, the keys of objects included. Raises BadRequest below `levels`."""
    if levels < 0:
        raise BadRequest("The JSON is nested too deeply.")
    match value:
        case str():
            return clean_text(value)
        case list():
            return [clean_value(item, levels - 1) for item in value]
        case dict():
            return {clean_text(key): clean_value(item, levels - 1) for key, item in value.items()}
        case _:
            return value


def clean_json(body: bytes, verbatim: Collection[str] = ()) -> bytes:
    """A JSON object whose texts are clean, except in the fields named; anything else is returned as it is.

    Raises BadRequest if it is nested too deeply.
    """
    if body.isascii() and b"\\u" not in body and b"\x7f" not in body:
        return body
    try:
        values = orjson.loads(_replace_lone_surrogates(body))
    except orjson.JSONDecodeError:
        return body
    if not isinstance(values, dict):
        return body
    return orjson.dumps({name: value if name in verbatim else clean_value(value) for name, value in values.items()})


def _replace_lone_surrogates(body: bytes) -> bytes:
    """JSON with U+FFFD in place of halves of surrogate pairs, which parsers refuse without naming the field."""
    return _JSON_ESCAPE.sub(lambda match: rb"\ufffd" if match[1] else match[0], body)
