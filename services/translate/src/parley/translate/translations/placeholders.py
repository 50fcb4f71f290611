"""What must come through a translation unchanged: put aside before, put back after, and checked in between.

Engines drop emoji, translate names and «correct» addresses. So a text is cut into lines, and in each line what must
stay is replaced by a mark that engines are known to leave alone. Where one does not, the line is translated again in
the pieces between the marks: less fluent, and nothing lost.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

# Every alternative starts at a place that the one before it cannot have come to (look-behinds), and repeats within
# bounds: a text made to be slow is read in one pass all the same. Letters are spelled out where \w would run on
# through Chinese or Japanese, which put no spaces between words.
_CODE = r"```[\s\S]*?```|~~~[\s\S]*?~~~|`[^`\n]+`"
_IN_ADDRESS = r"[^\s<>\"'`\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]"
_ENDS_ADDRESS = r"[^\s<>\"'`.,;:!?)\]}\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]"
_ADDRESS = (
    rf"(?i:(?<![a-z0-9_/])(?:[a-z][a-z0-9+.-]{{1,20}}://|www\.){_IN_ADDRESS}*{_ENDS_ADDRESS}"
    r"|(?<![a-z0-9_.+-])[a-z0-9_.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+"
    r"|(?<![a-z0-9_@.-])(?:[a-z0-9-]{1,63}\.){1,5}(?:com|net|org|info|io|dev|app|shop|eu|de|fr|es|pt|br|uk|it|nl|pl)"
    rf"(?![a-z0-9_-])(?:/{_IN_ADDRESS}*{_ENDS_ADDRESS})?)"
)
_NAME = r"(?<![A-Za-z0-9_@])[@#][A-Za-z0-9_][A-Za-z0-9_.-]*[A-Za-z0-9_]|\{\{?[\w .-]{1,40}\}?\}"
_NUMBER = (
    r"(?<![A-Za-z0-9_])\+?\d[\d ()-]{5,25}\d(?![A-Za-z0-9_])"
    r"|(?<![A-Za-z0-9_])(?:[A-Z]{1,8}-)?[A-Za-z0-9_]*\d[A-Za-z0-9_]*(?:[.,:/'-][A-Za-z0-9_]*\d[A-Za-z0-9_]*)*"
)
_EMOJI = (
    r"(?:[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B00-\u2BFF\u2300-\u23FF]\uFE0F?\u200D?)+"
    r"|[:;=]-?[()DPpOo3/\\|](?!\w)"
)

_MARK = re.compile(r"X(\d+)X")
_LETTER = re.compile(r"[^\W\d_]")
_EDGE = re.compile(r"^(\s*(?:[-*•>]+\s+)?)(.*?)(\s*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what stands before and after the words, the words with marks, and what the marks stand for."""

    before: str
    words: str
    after: str
    kept: tuple[str, ...]

    @property
    def speaks(self) -> bool:
        """Whether there is anything to translate."""
        return _LETTER.search(_MARK.sub("", self.words)) is not None

    def holds(self, made: str) -> bool:
        """Whether a translation of the words has every mark once, and no other."""
        return sorted(_MARK.findall(made)) == sorted(map(str, range(len(self.kept))))

    def restored(self, made: str) -> str:
        """The line with a translation of its words. Call it with what `holds`, or with the words themselves."""
        return self.before + _MARK.sub(lambda mark: self.kept[int(mark[1])], made) + self.after

    def pieces(self) -> list[str]:
        """The words cut at their marks, marks included, in order: to be translated piece by piece."""
        return [piece for piece in re.split(r"(X\d+X)", self.words) if piece]


def is_mark(piece: str) -> bool:
    return _MARK.fullmatch(piece) is not None


def speaks(piece: str) -> bool:
    """Whether a piece between marks has words in it."""
    return not is_mark(piece) and _LETTER.search(piece) is not None


def protect(text: str, glossary: Sequence[str] = ()) -> list[Line]:
    """The text's lines, with marks for all that must stay as it is."""
    lines: list[tuple[list[str], list[str]]] = [([], [])]
    end = 0
    for found in _pattern(tuple(glossary)).finditer(text):
        _write(lines, text[end : found.start()])
        words, kept = lines[-1]
        words.append(f"X{len(kept)}X")
        kept.append(found[0])
        end = found.end()
    _write(lines, text[end:])
    return [_line("".join(words), kept) for words, kept in lines]


def _write(lines: list[tuple[list[str], list[str]]], text: str) -> None:
    first, *others = text.split("\n")
    lines[-1][0].append(first)
    lines.extend(([other], []) for other in others)


def _line(words: str, kept: Sequence[str]) -> Line:
    found = _EDGE.match(words)
    assert found is not None, "every text has edges"
    return Line(found[1], found[2], found[3], tuple(kept))


@lru_cache(maxsize=256)
def _pattern(glossary: tuple[str, ...]) -> re.Pattern[str]:
    terms = sorted((term for term in glossary if term.strip()), key=len, reverse=True)
    alternatives = [_CODE, _ADDRESS]
    if terms:
        alternatives.append(r"(?<![A-Za-z0-9_])(?i:" + "|".join(map(re.escape, terms)) + r")(?![A-Za-z0-9_])")
    return re.compile("|".join([*alternatives, _NAME, _NUMBER, _EMOJI]))
