"""Lists of conversations find a visitor by what a person would type."""

from __future__ import annotations

import unicodedata

import pytest

from parley.chat.conversations.visitor_search import build_terms, parse_query


def found(query: str, *, name: str = "", email: str = "", phone: str = "") -> bool:
    """Whether the query matches, as the repository asks the database."""
    terms = build_terms(name, email, phone, "vis_0123456789abcdef")
    parsed = parse_query(query)
    assert parsed is not None

    def matches(text: str, exact: bool) -> bool:
        return any(term == text if exact else term.startswith(text) for term in terms)

    all_words = all(matches(term.text, term.exact) for term in parsed.words)
    return all_words or any(matches(term.text, term.exact) for term in parsed.numbers)


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("Jürgen Müller", "Müller"),
        ("Jürgen Müller", unicodedata.normalize("NFD", "müller,")),
        ("Jürgen Müller", "Muller"),
        ("Jürgen Müller", "üll"),
        (unicodedata.normalize("NFD", "Zoé Lefèvre"), "Lefèvre"),
        ("Shane O'Neil", "o’neil"),
        ("Shane O'Neil", "oneil"),
        ("Shane O'Neil", "neil"),
        ("Anna-Lena Schmidt-Rottluff", "anna lena"),
        ("Anna-Lena Schmidt-Rottluff", "Schmidt-Rottluff"),
        ("Иванов Пётр", "петр"),
        ("Łukasz Øst", "lukasz ost"),
        ("Weiß", "WEISS"),
        ("王小明", "小明"),
        ("김철수", "철수"),
        ("ＡＢＣ", "abc"),
        ("Müller", "mueller"),
        ("Mueller", "Müller"),
        ("Jean-Luc", "jeanluc"),
        ("Jeanluc", "Jean-Luc"),
        ("たなか", "タナカ"),
        ("ｱﾘｽ", "ありす"),
        ("فاطمة", "فاطمه"),
        ("کریم", "كريم"),
        ("محـمّد", "محمد"),
        ("İbrahim Yıldız", "ibrahim yildiz"),
        ("Nguyễn Văn Đức", "nguyen van duc"),
        ("Shane O’Neil", "o neil"),
        ("Jan van der Berg", "vanderberg"),
        ("李 小龙", "李小龙"),
        ("김 민수", "김민수"),
        ("σοφία Σ", "ΣΟΦΙΑ"),
        ("ﬁona", "fiona"),
        ("Smith, John", "john smith"),
    ],
)
def test_a_name_is_found(name: str, query: str) -> None:
    assert found(query, name=name)


@pytest.mark.parametrize(
    "query",
    [
        "a.b+c@d.de",
        "A.B+C@D.DE",
        "d.de",
        "mailto:a.b+c@d.de",
        "MAILTO:a.b+c@d.de?subject=x",
        "<a.b+c@d.de>",
        "a.b＋c＠d.de",
        "ab+c@d.de",
    ],
)
def test_an_address_is_found(query: str) -> None:
    assert found(query, email="a.b+c@d.de")


def test_an_address_is_found_in_both_spellings_of_its_domain() -> None:
    assert found("info@xn--bcher-kva.example", email="info@bücher.example")
    assert found("info@bücher.example", email="info@xn--bcher-kva.example")


@pytest.mark.parametrize(
    "query",
    [
        "+49 (0)170 7654321",
        "7654321",
        "01707654321",
        "+491707654321",
        "170 7654321",
        "0170/7654321",
        "+49 170 765 43 21",
    ],
)
def test_a_number_is_found(query: str) -> None:
    assert found(query, phone="+49 (0)170 7654321")


def test_a_national_number_is_found_by_its_international_form() -> None:
    assert found("+491707654321", phone="0170 7654321")
    assert found("+1 555 010 0199", phone="555-010-0199")
    assert found("+7 912 345 67 89", phone="8 (912) 345-67-89")
    assert found("8 (912) 345-67-89", phone="+7 912 345 67 89")


@pytest.mark.parametrize("query", ["\\", "%", "[", "…"])
def test_punctuation_alone_has_no_words(query: str) -> None:
    assert parse_query(query) is None


def test_other_words_are_not_found() -> None:
    assert not found("c", name="precise words")
    assert not found("meyer", name="Müller")
    assert not found("123 456", phone="170")
