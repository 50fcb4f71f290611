"""Terms and clauses of texts, as retrieval compares them."""

from __future__ import annotations

import pytest

from parley.chat.retrieval.excerpt import find_excerpt
from parley.chat.retrieval.lexical import LexicalIndex
from parley.chat.retrieval.model import Passage
from parley.chat.retrieval.text import split_clauses, split_terms


def terms(text: str, *languages: str) -> list[set[str]]:
    return [set(stems) for stems in split_terms(text, languages or ("en",))]


def test_terms_have_no_case_accents_endings_or_function_words() -> None:
    assert terms("The SHIPPING to Zürich?") == terms("ship zurich")
    assert terms("Öffnungszeiten", "de", "en") == [{"offnungszeit", "offnungszeiten"}]
    assert terms("退货政策") == [{"退货"}, {"货政"}, {"政策"}]
    assert terms("what is it for") == []


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("How long is delivery?", []),
        ("Was kostet der Versand und wie lange dauert er?", ["Was kostet der Versand", "wie lange dauert er"]),
        ("¿Dónde está la tienda en Madrid?", []),
        ("料金はいくらですか？配送は何日ですか？", ["料金はいくらですか", "配送は何日ですか"]),
    ],
)
def test_a_question_is_split_where_it_may_ask_for_another_fact(text: str, clauses: list[str]) -> None:
    assert split_clauses(text) == clauses


def test_words_that_few_passages_have_weigh_most() -> None:
    passages = [Passage(str(number), f"How do I return item {number}?", "In thirty days.") for number in range(9)]
    index = LexicalIndex([*passages, Passage("gift", "How do I return a voucher?", "Not at all.")])
    scores = index.score("returning vouchers")
    assert scores.bm25.argmax() == 9
    assert scores.coverage[9] == pytest.approx(1)
    assert scores.coverage[0] < 0.3


def test_a_long_passage_is_shortened_to_what_was_asked() -> None:
    about = [f"Sentence {number} is about our shop." for number in range(30)]
    text = " ".join([*about[:15], "The warranty of kettles is three years.", *about[15:]])
    excerpt = find_excerpt(Passage("page", "Shop", text, language="en"), "How long is the warranty?")
    assert "three years" in excerpt
    assert len(excerpt) < 150
    assert find_excerpt(Passage("page", "Shop", text, language="en"), "Garantie?") == text
