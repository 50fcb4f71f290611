"""Language detection: offline, by sentences; one or two words never replace a known language."""

from __future__ import annotations

import pytest

from parley.translate.languages.detection import DetectedLanguage, choose_language
from parley.translate.languages.fasttext_detector import FastTextDetector


@pytest.fixture(scope="module")
def detector() -> FastTextDetector:
    return FastTextDetector()


class FixedDetector:
    """A detector that always returns the same language."""

    def __init__(self, lang: str, confidence: float) -> None:
        self._result = DetectedLanguage(lang, confidence)

    def detect(self, _: str) -> DetectedLanguage:
        return self._result


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
def test_language_is_detected_offline(detector: FastTextDetector, text: str, lang: str) -> None:
    assert choose_language(detector, text, None, None) == lang


@pytest.mark.parametrize("text", ["👍", "12345", "???", ""])
def test_text_without_letters_changes_nothing(detector: FastTextDetector, text: str) -> None:
    assert choose_language(detector, text, None, None) is None
    assert choose_language(detector, text, "de", "fr") == "de"
    assert choose_language(detector, text, None, "fr") == "fr"


def test_browser_language_applies_to_short_words_only(detector: FastTextDetector) -> None:
    assert choose_language(detector, "ok", None, "de-DE") == "de-DE"
    assert choose_language(detector, "Where is my order please, I am waiting", None, "de-DE") == "en"


def test_more_specific_browser_language_is_kept() -> None:
    assert choose_language(FixedDetector("pt", 0.99), "Meu pedido ainda não chegou", None, "pt-BR") == "pt-BR"


def test_known_language_is_replaced_only_by_a_clear_sentence() -> None:
    sentence = "Das ist nun wirklich Deutsch"
    assert choose_language(FixedDetector("de", 0.9), sentence, "en", None) == "de"
    assert choose_language(FixedDetector("de", 0.5), sentence, "en", None) == "en"
    assert choose_language(FixedDetector("de", 0.9), "Danke", "en", None) == "en"
    assert choose_language(FixedDetector("de", 0.9), sentence, "de-CH", None) == "de-CH"


def test_uncertain_detection_names_no_language() -> None:
    assert choose_language(FixedDetector("de", 0.2), "Hm hm hm", None, None) is None


def test_only_the_start_of_a_long_text_is_examined() -> None:
    class RecordingDetector:
        max_length = 0

        def detect(self, text: str) -> DetectedLanguage | None:
            self.max_length = len(text)
            return None

    detector = RecordingDetector()
    choose_language(detector, "a" * 100_000, None, None)
    assert detector.max_length == 400
