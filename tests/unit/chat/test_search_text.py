"""What a search finds in a text, and what of the text it marks."""

from __future__ import annotations

import struct
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parley.chat.search.pages import Page
from parley.chat.search.postings import SEGMENT_POSITIONS, decode_positions, iterate_downwards, page_of, to_bits
from parley.chat.search.snippets import SNIPPET_LENGTH, build_snippet, find_marks
from parley.chat.search.text import SearchText, Term, message_terms, parse, split_units, visitor_terms, visitor_text

# Without the surrogates, which are no text.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def matches(terms: tuple[str, ...] | list[str], query: SearchText) -> bool:
    """Whether the index finds a document with these terms."""

    def has(term: Term) -> bool:
        return any(one == term.text if term.exact else one.startswith(term.text) for one in terms)

    return all(map(has, query.terms)) or any(has(Term(digits[:24], False)) for digits in query.numbers)


def marked(text: str, query: str) -> list[str] | None:
    """What a search marks in a message; None if it does not find the message."""
    parsed = parse(query)
    assert parsed is not None
    if not matches(message_terms(text), parsed):
        return None
    marks = find_marks(text, parsed)
    return None if marks is None else [text[start:end] for start, end in marks]


def marked_in_visitor(query: str, name: str = "", email: str = "", phone: str = "") -> list[str] | None:
    parsed = parse(query)
    assert parsed is not None
    if not matches(visitor_terms(name, email, phone), parsed):
        return None
    text = visitor_text(name, email, phone)
    marks = find_marks(text, parsed, within_words=True)
    return None if marks is None else [text[start:end] for start, end in marks]


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("Where is my order?", "order", ["order"]),
        ("Where is my order?", "ORDER where", ["Where", "order"]),
        ("Where is my order?", "ord", ["ord"]),
        ("Where is my order?", "order refund", None),
        ("Where is my order?", "is", ["is"]),
        ("This is it", "is", ["is"]),
        ("Ein Käse, bitte", "kase", ["Käse"]),
        (unicodedata.normalize("NFD", "Ein Käse, bitte"), "käse", [unicodedata.normalize("NFD", "Käse")]),
        ("Ein Kase", unicodedata.normalize("NFD", "Käse"), ["Kase"]),
        ("Straße 5", "STRASSE", ["Straße"]),
        ("code ＡＢＣ１２３", "abc123", ["ＡＢＣ１２３"]),
        ("I don't know", "dont", ["don't"]),
        ("I don’t know", "don't", ["don’t"]),
        ("订单什么时候到", "什么时候", ["什么时候"]),
        ("订单什么时候到", "单", ["单"]),
        ("订单什么时候到", "到", ["到"]),
        ("什么，时间和时候", "什么时候", None),
        ("注文はカタカナで", "かたかな", ["カタカナ"]),
        ("ｶﾀｶﾅ", "カタカナ", ["ｶﾀｶﾅ"]),
        ("주문이 언제 와요", "주문", ["주문"]),
        (unicodedata.normalize("NFD", "주문이 언제"), "주문", [unicodedata.normalize("NFD", "주문")]),
        ("order #A-1234 please", "A1234", []),
        ("order #A-1234 please", "1234", ["1234"]),
        ("my iPhone15Pro", "15pro", []),
        ("write to jane@example.com", "example", ["example"]),
        ("call +49 170 1234567 now", "0170 1234567", ["+49 170 1234567"]),
        ("call +49 170 1234567 now", "1234567", ["+49 170 1234567"]),
        ("call +49 (170) 12-345-67", "1234567", ["+49 (170) 12-345-67"]),
        ("to be or not to be", '"be or not"', ["be or not"]),
        ("not to be or be", '"be or not"', None),
        ("a quick brown fox", '"quick brown" fox', ["quick brown", "fox"]),
        ("a quick brown fox", "“quick fox”", None),
        ("a quick brown fox", '"quick bro"', None),
        ("a quick brown fox", '"quick brown', ["quick", "brown"]),
    ],
)
def test_a_message_is_found_and_marked(text: str, query: str, expected: list[str] | None) -> None:
    assert marked(text, query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("schmidt", ["Schmidt"]),
        ("midt", ["midt"]),
        ("rottluff", ["Rottluff"]),
        ("anna-lena", ["Anna", "Lena", "anna"]),
        ("anna.l@example.com", ["Anna", "anna", "l", "example", "com"]),
        ("xample", ["xample"]),
        ("567 8901", ["+49 170 5678901"]),
        ("0170 5678901", ["+49 170 5678901"]),
        ("refund", None),
    ],
)
def test_a_visitor_is_found_by_parts(query: str, expected: list[str] | None) -> None:
    found = marked_in_visitor(query, "Anna-Lena Schmidt-Rottluff", "anna.l@example.com", "+49 170 5678901")
    assert found == expected


@pytest.mark.parametrize("query", ["", "  ", "...", '""', "%*^$", "😀"])
def test_a_query_without_letters_is_none(query: str) -> None:
    assert parse(query) is None


def test_a_snippet_shows_the_first_mark_of_a_long_text() -> None:
    text = "word " * 200 + "needle" + " word" * 200
    query = parse("needle")
    assert query is not None
    marks = find_marks(text, query)
    assert marks is not None
    snippet = build_snippet(text, marks)
    assert len(snippet.text) <= SNIPPET_LENGTH + 2
    assert snippet.text.startswith("…")
    assert snippet.text.endswith("…")
    assert [snippet.text[start:end] for start, end in snippet.marks] == ["needle"]


@given(TEXTS)
@settings(deadline=None)
def test_units_lie_within_the_text_in_order(text: str) -> None:
    start = 0
    for unit in split_units(text):
        # One letter may be two units: ¼ is 1 and 4.
        assert start <= unit.start < unit.end <= len(text)
        assert len(unit.starts) == len(unit.text)
        start = unit.start


@given(TEXTS, st.integers(0, 20), st.integers(1, 20))
@example("0¼", 0, 2)
@settings(deadline=None)
def test_every_word_of_a_text_finds_it_in_every_form(text: str, first: int, count: int) -> None:
    units = split_units(text)
    for word in [unit for unit in units if len(unit.text) <= 24][first : first + count]:
        original = text[word.start : word.end]
        # In "0¼" the ¼ is no word of its own: the words are 01 and 4.
        if not {unit.text for unit in split_units(original)} <= {unit.text for unit in units}:
            continue
        for query in (original, unicodedata.normalize("NFD", original), original.swapcase()):
            parsed = parse(query)
            if parsed is not None and parsed == parse(original):
                assert matches(message_terms(text), parsed), (original, query)


@given(TEXTS, TEXTS)
@settings(deadline=None)
def test_marks_of_a_snippet_are_ordered_ranges_of_it(text: str, query: str) -> None:
    parsed = parse(query)
    marks = find_marks(text, parsed) if parsed else None
    snippet = build_snippet(text, marks or [])
    end = 0
    for start, stop in snippet.marks:
        assert end <= start < stop <= len(snippet.text)
        end = stop


FEW = st.sets(st.integers(0, SEGMENT_POSITIONS - 1), min_size=1, max_size=4)
MANY = st.integers(129, 600).map(lambda count: set(range(0, 7 * count, 7)))
"""As many as are stored as a bitmap."""
TERMS = st.text("abeé订𠀀", min_size=1, max_size=4)


@given(st.dictionaries(TERMS, FEW | MANY, max_size=12), TERMS, st.booleans(), FEW)
@settings(deadline=None)
def test_a_page_finds_terms_and_their_beginnings_also_after_a_removal(
    positions: dict[str, set[int]], text: str, exact: bool, removed: set[int]
) -> None:
    page: Page | None = Page.build({term: sorted(at) for term, at in positions.items()})
    for _ in range(2):
        assert page is not None
        page = Page.from_fields(page.to_fields())
        wanted = [at for term, at in positions.items() if (term == text if exact else term.startswith(text))]
        span = page.find(Term(text, exact))
        assert span[1] - span[0] == len(wanted)
        assert list(iterate_downwards(page.bits(span))) == sorted(set().union(*wanted), reverse=True)
        assert (page.size(span) > 0) == bool(wanted)
        page = page.without(dict.fromkeys(positions, to_bits(sorted(removed))))
        positions = {term: at - removed for term, at in positions.items() if at - removed}
        if not positions:
            assert page is None
            return


@given(FEW | MANY)
@settings(deadline=None)
def test_positions_of_older_pages_are_read(positions: set[int]) -> None:
    listed = sorted(positions)
    assert decode_positions(to_bits(listed).to_bytes(1024, "little")) == listed
    assert len(listed) > 128 or decode_positions(struct.pack(f"<{len(listed)}H", *listed)) == listed


@pytest.mark.parametrize(
    ("query", "term"), [("delivery", "delivery"), ("del", "delivery"), ("订", "订单"), ("单", "单"), ("ok", "ok")]
)
def test_the_page_of_a_query_has_the_terms_that_it_matches(query: str, term: str) -> None:
    parsed = parse(query)
    assert parsed is not None
    assert {page_of(one.text) for one in parsed.terms} == {page_of(term)}
