"""Decides whether an answer is what a test expects: texts compared without case, accents, markup and spacing."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from urllib.parse import unquote, urlsplit

from parley.chat.answer_tests.model import (
    Expectation,
    GivenAnswer,
    JudgedAnswer,
    Reason,
)
from parley.common.events.schemas import MessageSource

_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed*_`~\u200b-\u200f\u2066-\u2069\ufeff]"
)
"""Accents, Hebrew and Arabic vowel signs, the Arabic elongation, Markdown, and characters that nobody sees."""
_QUOTES = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u2010": "-", "\u2011": "-", "\u2013": "-"}
)
_SPACED = re.compile(
    "[^\\W\u0590-\u08ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
)
"""A letter or digit of a script that separates words and joins no particles to them."""
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff"
"""Scripts that write no spaces between words."""
_SPACE_BESIDE_UNSPACED = re.compile(f"(?<=[{_UNSPACED}]) | (?=[{_UNSPACED}])")
_WORD = re.compile(f"[{_UNSPACED}]|[^\\W{_UNSPACED}]+")
_SEPARATORS = ".,'"
_MAX_COMPARED_WORDS = 1000


def fold(text: str) -> str:
    """A text as it is compared."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_QUOTES))
    plain = unicodedata.normalize("NFC", _MARKS.sub("", decomposed))
    digits = "".join(_to_ascii_digit(one) for one in plain)
    return _SPACE_BESIDE_UNSPACED.sub("", " ".join(digits.split()))


def contains(folded: str, text: str) -> bool:
    """Whether a folded text has another one in it as whole words; a `*` at an end stands for the rest of a word.

    Scripts without spaces, and those that join particles to words, have no whole words. Numbers are always whole.
    """
    open_start, open_end = text.lstrip().startswith("*"), text.rstrip().endswith("*")
    needle = fold(text)
    if not needle:
        return False
    start = folded.find(needle)
    while start >= 0:
        end = start + len(needle)
        if (open_start or _begins(folded, start)) and (open_end or _ends(folded, end)):
            return True
        start = folded.find(needle, start + 1)
    return False


def judge(expectation: Expectation, answer: GivenAnswer) -> JudgedAnswer:
    """Compare an answer with what is expected."""
    if answer.outcome == "failed":
        return JudgedAnswer(answer, "unknown", (Reason("failed", answer.error or ""),))
    if expectation.expected == "handoff":
        return _judge(answer, [] if answer.outcome == "handed_over" else [Reason("not_handed_over")])
    gave_up = answer.outcome != "answered"
    if expectation.expected == "decline":
        not_declined = [] if gave_up else [Reason("not_declined")]
        return _judge(answer, [*not_declined, *_find_forbidden(expectation, answer)])
    if gave_up:
        return JudgedAnswer(answer, "unknown", (Reason("declined"),))
    return _judge(answer, _find_reasons(expectation, answer))


def is_cited(sources: Iterable[MessageSource], wanted: str) -> bool:
    """Whether a source has this title or address; a `*` at the end of an address stands for what is below it."""
    address = _normalize_url(wanted)
    for source in sources:
        if address is not None:
            url = _normalize_url(source.url or "")
            below = address.endswith("*") and url is not None and url.startswith(address[:-1])
            if below or (url is not None and url == address):
                return True
        elif contains(fold(source.title), wanted):
            return True
    return False


def compare(before: GivenAnswer, after: GivenAnswer) -> tuple[bool, float]:
    """Whether another answer would be given, and the share of words that both texts have, from 0 to 1."""
    old, new = _words(before.text), _words(after.text)
    # Without their order: for texts that repeat their words, comparing it takes seconds, in which nobody is served.
    shared = (Counter(old) & Counter(new)).total()
    similarity = 2 * shared / max(1, len(old) + len(new))
    # A notice about the handoff may follow what the AI said.
    same_text = old == new or (after.outcome != "answered" and old[: len(new)] == new)
    return not same_text, round(1.0 if same_text else similarity, 2)


def _judge(answer: GivenAnswer, reasons: Sequence[Reason]) -> JudgedAnswer:
    return JudgedAnswer(answer, "wrong" if reasons else "right", tuple(reasons))


def _find_reasons(expectation: Expectation, answer: GivenAnswer) -> list[Reason]:
    folded = fold(answer.text)
    missing = [
        Reason("missing", " | ".join(group))
        for group in expectation.must_say
        if not any(contains(folded, text) for text in group)
    ]
    not_cited = [
        Reason("not_cited", " | ".join(group))
        for group in expectation.must_cite
        if not any(is_cited(answer.sources, one) for one in group)
    ]
    return [*missing, *_find_forbidden(expectation, answer), *not_cited]


def _find_forbidden(expectation: Expectation, answer: GivenAnswer) -> list[Reason]:
    folded = fold(answer.text)
    return [Reason("forbidden", text) for text in expectation.must_not_say if contains(folded, text)]


def _begins(folded: str, start: int) -> bool:
    """Whether a word begins there."""
    if start == 0 or not _SPACED.match(folded[start]):
        return True
    before = folded[start - 1]
    if folded[start].isdigit():
        is_fraction = before in _SEPARATORS and start > 1 and folded[start - 2].isdigit()
        return not (before.isdigit() or is_fraction)
    return not _SPACED.match(before)


def _ends(folded: str, end: int) -> bool:
    """Whether a word ends there."""
    if end >= len(folded) or not _SPACED.match(folded[end - 1]):
        return True
    after = folded[end]
    if folded[end - 1].isdigit():
        is_fraction = after in _SEPARATORS and end + 1 < len(folded) and folded[end + 1].isdigit()
        return not (after.isdigit() or is_fraction)
    return not _SPACED.match(after)


def _to_ascii_digit(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _words(text: str) -> Sequence[str]:
    return _WORD.findall(fold(text))[:_MAX_COMPARED_WORDS]


def _normalize_url(text: str) -> str | None:
    """An address without scheme, `www.`, fragment and slash at its end; None for other texts."""
    text = text.strip()
    if not text.casefold().startswith(("http://", "https://")):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    host = (parts.netloc or "").casefold().removeprefix("www.")
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{unquote(parts.path)}{query}".rstrip("/")
