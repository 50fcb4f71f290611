"""Placeholders for the parts of a text that must not be translated.

Engines drop emoji, translate names and "correct" addresses. So a text is split into lines, and in each line these parts
are replaced by placeholders (`X0X`), which engines are known to leave unchanged. If a translation does not contain
every placeholder exactly once, the line is translated again piece by piece: less fluent, but nothing is lost.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

# The patterns match in linear time, also on text written to be slow: each alternative starts where the previous one
# cannot have ended (look-behinds), and repetitions are bounded. Letters are listed explicitly where \w would match on
# through Chinese or Japanese text, which has no spaces between words.
_CODE = r"```[\s\S]*?```|~~~[\s\S]*?~~~|`[^`\n]+`"
_ADDRESS_CHARACTER = r"[^\s<>\"'`\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]"
_ADDRESS_END = r"[^\s<>\"'`.,;:!?)\]}\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]"
_ADDRESS = (
    rf"(?i:(?<![a-z0-9_/])(?:[a-z][a-z0-9+.-]{{1,20}}://|www\.){_ADDRESS_CHARACTER}*{_ADDRESS_END}"
    r"|(?<![a-z0-9_.+-])[a-z0-9_.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+"
    r"|(?<![a-z0-9_@.-])(?:[a-z0-9-]{1,63}\.){1,5}(?:com|net|org|info|io|dev|app|shop|eu|de|fr|es|pt|br|uk|it|nl|pl)"
    rf"(?![a-z0-9_-])(?:/{_ADDRESS_CHARACTER}*{_ADDRESS_END})?)"
)
_NAME = r"(?<![A-Za-z0-9_@])[@#][A-Za-z0-9_][A-Za-z0-9_.-]*[A-Za-z0-9_]|\{\{?[\w .-]{1,40}\}?\}"
_NUMBER = (
    r"(?<![A-Za-z0-9_])\+?\d[\d ()-]{5,25}\d(?![A-Za-z0-9_])"
    r"|(?<![A-Za-z0-9_])(?:[A-Z]{1,8}-)?[A-Za-z_]*\d[A-Za-z0-9_]*(?:[.,:/'-][A-Za-z_]*\d[A-Za-z0-9_]*)*(?!\uFE0F?\u20E3)"
)
_MARKUP = (
    r"</?[A-Za-z][^<>\n]{0,80}>|&(?:[A-Za-z]{2,8}|\#\d{1,7}|\#x[0-9A-Fa-f]{1,6});"
    r"|(?<![A-Za-z0-9_:]):[a-z][a-z0-9_+-]{1,30}:|%(?:\([A-Za-z0-9_]{1,30}\))?[sdif@](?![A-Za-z0-9_])"
)
# A digit with the mark of a keycap is taken before numbers are.
_KEYCAP = r"[0-9\#*]\uFE0F?\u20E3"
_EMOJI = (
    r"(?:[\U0001F000-\U0001FAFF\u2190-\u21FF\u24C2\u25A0-\u27BF\u2934\u2935\u2B00-\u2BFF\u2300-\u23FF\u00A9\u00AE\u203C\u2049\u2122\u2139"
    r"\u3030\u303D\u3297-\u3299]|[\uFE0F\u200D\u20E3\U000E0020-\U000E007F])+"
    r"|[:;=]-?[()DPpOo3/\\|](?!\w)"
)

_PLACEHOLDER = re.compile(r"X(\d+)X")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#x[0-9A-Fa-f]{1,6});")
_PLACEHOLDER_SPLIT = re.compile(r"(X\d+X)")
_LETTER = re.compile(r"[^\W\d_]")
_LINE_START = re.compile(r"\A\s*(?:[-*•>]+\s+)?")


@dataclass(frozen=True, slots=True)
class Segment:
    """One line of a text: its words with placeholders, what surrounds them, and the originals of the placeholders."""

    before: str
    words: str
    after: str
    originals: tuple[str, ...]

    @property
    def has_text(self) -> bool:
        """Whether there is anything to translate."""
        return _LETTER.search(_PLACEHOLDER.sub("", self.words)) is not None

    def is_intact(self, translation: str) -> bool:
        """Return whether a translation of the words contains every placeholder exactly once, and no other."""
        return sorted(_PLACEHOLDER.findall(translation)) == sorted(map(str, range(len(self.originals))))

    def restore(self, translation: str) -> str:
        """Return the line with a translation of its words. The translation must be intact."""
        return self.before + _PLACEHOLDER.sub(lambda match: self.originals[int(match[1])], translation) + self.after

    def split_at_placeholders(self) -> list[str]:
        """Return the words split at their placeholders, placeholders included, in order."""
        return [piece for piece in _PLACEHOLDER_SPLIT.split(self.words) if piece]


def unescape(translation: str) -> str:
    """Undo, once, the HTML escapes of an engine that adds them: what an engine gets never contains any itself."""
    return _ENTITY.sub(lambda match: html.unescape(match[0]), translation)


def is_placeholder(piece: str) -> bool:
    return _PLACEHOLDER.fullmatch(piece) is not None


def has_words(piece: str) -> bool:
    """Return whether a piece of a segment is text to translate."""
    return not is_placeholder(piece) and _LETTER.search(piece) is not None


def protect(text: str, glossary: Sequence[str] = ()) -> list[Segment]:
    """Split a text into lines, with placeholders for all that must not be translated."""
    lines: list[tuple[list[str], list[str]]] = [([], [])]
    end = 0
    for match in _pattern(tuple(glossary)).finditer(text):
        _append_text(lines, text[end : match.start()])
        words, originals = lines[-1]
        words.append(f"X{len(originals)}X")
        originals.append(match[0])
        end = match.end()
    _append_text(lines, text[end:])
    return [_to_segment("".join(words), originals) for words, originals in lines]


def _append_text(lines: list[tuple[list[str], list[str]]], text: str) -> None:
    first, *others = text.split("\n")
    lines[-1][0].append(first)
    lines.extend(([other], []) for other in others)


def _to_segment(line: str, originals: Sequence[str]) -> Segment:
    match = _LINE_START.match(line)
    assert match is not None, "the pattern matches every line"
    words = line[match.end() :].rstrip()
    end = match.end() + len(words)
    return Segment(match[0], words, line[end:], tuple(originals))


@lru_cache(maxsize=256)
def _pattern(glossary: tuple[str, ...]) -> re.Pattern[str]:
    terms = sorted((term for term in glossary if term.strip()), key=len, reverse=True)
    alternatives = [_CODE, _ADDRESS]
    if terms:
        alternatives.append(r"(?<![A-Za-z0-9_])(?i:" + "|".join(map(re.escape, terms)) + r")(?![A-Za-z0-9_])")
    return re.compile("|".join([*alternatives, _MARKUP, _NAME, _KEYCAP, _NUMBER, _EMOJI]))
