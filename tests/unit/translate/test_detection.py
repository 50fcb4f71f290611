"""The language of what a visitor writes: found offline, by words, never overturned by a word or two."""

from __future__ import annotations

import pytest

from parley.translate.languages.detection import Guess, guess_language
from parley.translate.languages.fasttext_detector import FastTextDetector


@pytest.fixture(scope="module")
def detector() -> FastTextDetector:
    return FastTextDetector()


class Says:
    """A detector that has made up its mind."""

    def __init__(self, lang: str, confidence: float) -> None:
        self._guess = Guess(lang, confidence)

    def detect(self, _: str) -> Guess:
        return self._guess


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Hallo, wo ist meine Bestellung?", "de"),
        ("Olá, meu pedido não chegou", "pt"),
        ("Bonjour, où est ma commande ?", "fr"),
        ("¿Dónde está mi pedido, por favor?", "es"),
        ("你好，我的订单在哪里", "zh"),
        ("注文した荷物はどこですか", "ja"),
        ("Де моє замовлення?", "uk"),
        ("أين طلبي من فضلك؟", "ar"),
        ("WHERE IS MY ORDER PLEASE", "en"),
        ("Two\nlines of English\ntext", "en"),
    ],
)
def test_the_language_is_found_offline(detector: FastTextDetector, text: str, lang: str) -> None:
    assert guess_language(detector, text, None, None) == lang


@pytest.mark.parametrize("text", ["👍", "12345", "???", ""])
def test_what_has_no_letters_says_nothing(detector: FastTextDetector, text: str) -> None:
    assert guess_language(detector, text, None, None) is None
    assert guess_language(detector, text, "de", "fr") == "de"
    assert guess_language(detector, text, None, "fr") == "fr"


def test_a_short_word_goes_by_the_browser_and_a_sentence_by_itself(detector: FastTextDetector) -> None:
    assert guess_language(detector, "ok", None, "de-DE") == "de-DE"
    assert guess_language(detector, "Where is my order please, I am waiting", None, "de-DE") == "en"


def test_the_browsers_tag_is_kept_where_it_says_more_than_the_text() -> None:
    assert guess_language(Says("pt", 0.99), "Meu pedido ainda não chegou", None, "pt-BR") == "pt-BR"


def test_a_known_language_is_overturned_by_a_sure_sentence_alone() -> None:
    sentence = "Das ist nun wirklich Deutsch"
    assert guess_language(Says("de", 0.9), sentence, "en", None) == "de"
    assert guess_language(Says("de", 0.5), sentence, "en", None) == "en"
    assert guess_language(Says("de", 0.9), "Danke", "en", None) == "en"
    assert guess_language(Says("de", 0.9), sentence, "de-CH", None) == "de-CH"


def test_an_unsure_guess_names_no_language() -> None:
    assert guess_language(Says("de", 0.2), "Hm hm hm", None, None) is None


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    class Reads:
        longest = 0

        def detect(self, text: str) -> Guess | None:
            self.longest = len(text)
            return None

    reads = Reads()
    guess_language(reads, "a" * 100_000, None, None)
    assert reads.longest == 400
