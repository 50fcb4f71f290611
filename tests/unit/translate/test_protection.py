"""What must stay is put aside and put back, also when the text was made to be slow."""

from __future__ import annotations

import time

import pytest

from parley.translate.translations.placeholders import protect


def words(text: str, *glossary: str) -> list[str]:
    return [line.words for line in protect(text, glossary)]


def back(text: str, *glossary: str) -> str:
    return "\n".join(line.restored(line.words) for line in protect(text, glossary))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("See https://shop.example/a?b=1&c=2.", "https://shop.example/a?b=1&c=2"),
        ("See www.shop.example/x, please", "www.shop.example/x"),
        ("It is on shop.com/help today", "shop.com/help"),
        ("Write to jo.doe+x@mail.example.org!", "jo.doe+x@mail.example.org"),
        ("I paid 1.234,56 euros", "1.234,56"),
        ("On 2026-01-31 at noon", "2026-01-31"),
        ("At 10:30 sharp", "10:30"),
        ("Call +49 (170) 123-4567 now", "+49 (170) 123-4567"),
        ("Order AB-1234 is late", "AB-1234"),
        ("My iPhone15 broke", "iPhone15"),
        ("Version v1.2.3 fails", "v1.2.3"),
        ("Run `rm -rf build` first", "`rm -rf build`"),
        ("Thanks 👍🏽 a lot", "👍🏽"),
        ("Family 👨‍👩‍👧 here", "👨‍👩‍👧"),
        ("Nice :-) day", ":-)"),
        ("Ask @alex_b about it", "@alex_b"),
        ("Under #support please", "#support"),
        ("Dear {{ name }}, hello", "{{ name }}"),
        ("Literal X0X stays", "X0X"),
    ],
)
def test_what_must_stay_is_put_aside_and_put_back(text: str, kept: str) -> None:
    [line] = protect(text)
    assert line.kept == (kept,)
    assert line.words == text.replace(kept, "X0X")
    assert line.restored(line.words) == text


def test_glossary_terms_stay_as_they_are_written() -> None:
    [line] = protect("Is Blue Hour part of BLUE HOUR PLUS or blue hours?", ["Blue Hour", "Blue Hour Plus"])
    assert line.words == "Is X0X part of X1X or blue hours?"
    assert line.kept == ("Blue Hour", "BLUE HOUR PLUS")


def test_a_term_of_a_glossary_is_no_pattern() -> None:
    assert words("a.b (c) axb", "a.b", "(c)") == ["X0X X1X axb"]


def test_languages_without_spaces_are_not_taken_for_one_number() -> None:
    assert words("我买了3个苹果，请写信给a@b.com谢谢") == ["我买了X0X个苹果，请写信给X1X谢谢"]
    assert words("请看https://shop.example/a谢谢") == ["请看X0X谢谢"]


def test_lines_keep_their_place_and_their_bullets() -> None:
    text = "  Hello \r\n\n- first\n• 2 second\n```\na = 1\n\nb\n```\nend"
    lines = protect(text)
    assert back(text) == text
    assert [line.words for line in lines if line.speaks] == ["Hello", "first", "X0X second", "end"]
    assert lines[2].before == "- "


@pytest.mark.parametrize("text", ["👍", "12:30", "   ", "", "https://shop.example", "??? !!!", "`code`", "-"])
def test_what_has_no_words_needs_no_translation(text: str) -> None:
    assert not any(line.speaks for line in protect(text))
    assert back(text) == text


def test_a_translation_that_lost_doubled_or_made_up_a_mark_is_noticed() -> None:
    [line] = protect("Pay 5 euros to jo@shop.example")
    assert line.holds("X1X bekommt X0X Euro")
    assert not line.holds("X0X Euro")
    assert not line.holds("X0X X0X X1X")
    assert not line.holds("X0X X1X X2X")
    assert not line.holds("X0 X X1X")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 50_000,
        "1" * 50_000,
        "a1" * 25_000,
        "a@" * 25_000,
        "a." * 25_000,
        "http://" * 7_000,
        "http://!" * 6_000,
        "www." * 12_000,
        "```" * 16_001,
        "`a\n" * 16_000,
        "{" * 50_000,
        "{a " * 16_000,
        "+1 " * 16_000,
        "1 " * 25_000,
        "1," * 25_000,
        "@a-" * 16_000,
        "A-" * 25_000,
        "👍" * 50_000,
        "X0X" * 16_000,
        " " * 50_000,
        "- " * 25_000,
        "x \n" * 16_000,
    ],
)
def test_no_text_takes_long_to_read(text: str) -> None:
    started = time.process_time()
    assert back(text, "term", "an other") == text
    assert time.process_time() - started < 0.8
