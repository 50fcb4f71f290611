"""What lists of conversations find a visitor by: words without accents, parts of names, and telephone numbers.

A query is matched by prefix against an index, so the parts of a name that begin within a word are stored as well. What
was said in a conversation is found by the index of messages (`search/`), not here: a conversation changes with every
message, and each of its terms is a key of an index.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from parley.chat.visitors.model import Visitor
from parley.chat.visitors.phones import phone_digits

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = dict.fromkeys(map(ord, "'`´‘’ʼ＇"))
# Letters with a stroke or of two forms, which Unicode does not decompose.
_STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"})
_LETTERS: dict[int, int | str | None] = {
    **_STROKES,
    # Arabic letters that people and keyboards use for each other; the last one only stretches a word.
    **str.maketrans("ىیکة", "ييكه", "ـ"),
    # Katakana as hiragana.
    **{katakana: katakana - 0x60 for katakana in range(0x30A1, 0x30F7)},
}
_TRANSLITERATIONS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_TRANSLITERATED = re.compile("[aou]e|aa")
# Scripts that put no spaces between words: Thai, Lao, Khmer, Burmese, Chinese, Japanese.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003134f]")
# Parts that people also write as one word: "node.js", "Jean-Luc", "A-1234".
_JOINED = re.compile(r"[^\W_]{1,24}(?:[.\-‐‑/_][^\W_]{1,24}){1,3}")
_JOINT = re.compile(r"[^\W_][.\-‐‑/_][^\W_]")
_MAILTO = re.compile(r"mailto:([^?]*)", re.IGNORECASE)
_MAX_TERMS = 300
_MAX_TERM_LENGTH = 24
_MIN_PART_LENGTH = 2
_MIN_DIGITS = 3
_MAX_QUERY_WORDS = 10


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """A term of a query. `exact` terms match whole terms only, others their beginning."""

    text: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """All `words`, or one of the `numbers`."""

    words: tuple[SearchTerm, ...]
    numbers: tuple[SearchTerm, ...] = ()


def search_terms(visitor: Visitor) -> list[str]:
    """The terms of a visitor's name, contact details and ids."""
    return build_terms(visitor.name, visitor.email, visitor.phone, visitor.session, visitor.external_id)


def build_terms(
    name: str | None, email: str | None, phone: str | None, session: str, external_id: str | None = None
) -> list[str]:
    terms = [session.casefold(), *split_words(session)]
    name, email = name or "", decode_domain(email or "")
    words = (*split_words(f"{name} {email} {external_id or ''}"), *_divided_words(name), *_other_spellings(name))
    for word in (*words, *_join_parts(f"{name} {email}")):
        terms += _parts(word)
    for digits in phone_digits(phone or ""):
        terms += _parts(digits, _MIN_DIGITS)
    return list(dict.fromkeys(terms))[:_MAX_TERMS]


def parse_query(text: str) -> SearchQuery | None:
    """None for a text without a letter or digit."""
    text = text.strip()
    if address := _MAILTO.match(text):
        text = address[1]
    words = [
        SearchTerm(word[:_MAX_TERM_LENGTH], exact=len(word) == 1 and not _UNSPACED.match(word))
        for word in split_words(decode_domain(text))
    ]
    if not words:
        return None
    numbers = [SearchTerm(digits[:_MAX_TERM_LENGTH]) for digits in phone_digits(text)]
    return SearchQuery(tuple(dict.fromkeys(words))[:_MAX_QUERY_WORDS], tuple(numbers))


def split_words(text: str) -> list[str]:
    """The words of a text, without accents and case."""
    return _WORD.findall(fold(text))


def fold(text: str) -> str:
    """The text as it is compared: no accents, no case, no apostrophes, no difference of width."""
    if text.isascii():
        return text.lower().replace("'", "").replace("`", "")
    plain = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold()
    plain = "".join(letter for letter in plain if unicodedata.category(letter) not in ("Mn", "Cf"))
    return unicodedata.normalize("NFC", plain.translate(_LETTERS))


def decode_domain(text: str) -> str:
    """An e-mail address whose domain is written in ASCII (`xn--…`) with the domain's own letters; other text as is."""
    if "xn--" not in text.lower():
        return text
    labels = text.split(".")
    return ".".join(_decode_label(label) for label in labels)


def _decode_label(label: str) -> str:
    before, separator, last = label.rpartition("@")
    if not last.lower().startswith("xn--"):
        return label
    try:
        return before + separator + last.encode().decode("idna")
    except UnicodeError:
        return label


def _divided_words(name: str) -> Iterator[str]:
    """The words of a name as one ("van der Berg", 李 小龙), and its parts before and after an apostrophe ("O'Neil")."""
    if words := split_words(name):
        yield "".join(words)
    if name.translate(_APOSTROPHES) != name:
        yield from split_words(name.translate(dict.fromkeys(_APOSTROPHES, " ")))


def _other_spellings(name: str) -> Iterator[str]:
    """The words of a name with "ue" for "ü", and with "u" for "ue"."""
    composed = unicodedata.normalize("NFC", name).lower()
    if (written_out := composed.translate(_TRANSLITERATIONS)) != composed:
        yield from split_words(written_out)
    for word in split_words(name):
        if (short := _TRANSLITERATED.sub(lambda match: match[0][0], word)) != word:
            yield short


def _join_parts(text: str) -> Iterator[str]:
    """Words that punctuation divides, as one."""
    if not _JOINT.search(text):
        return  # Most texts: this is found much faster.
    for joined in _JOINED.findall(text):
        yield "".join(split_words(joined))


def _parts(word: str, min_length: int = _MIN_PART_LENGTH) -> Iterator[str]:
    """The word, and its remainder from every later letter on."""
    yield word[:_MAX_TERM_LENGTH]
    for start in range(1, len(word) - min_length + 1):
        yield word[start : start + _MAX_TERM_LENGTH]
