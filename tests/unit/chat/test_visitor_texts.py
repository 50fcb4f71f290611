"""The server's texts for visitors: each language has texts of English, with the same placeholders."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest

from parley.chat.handoff_requests import requests_human
from parley.chat.system_messages import LOCALES, get_locale_strings, is_supported
from parley.common.languages import match_language

CATALOGUES: dict[str, dict[str, Any]] = {
    path.name.removesuffix(".json"): json.loads(path.read_text("utf-8"))
    for path in files("parley.chat").joinpath("visitor_texts").iterdir()
}
_PLACEHOLDER = re.compile(r"\{[^}]*\}")


def _placeholders(text: str) -> list[str]:
    return sorted(_PLACEHOLDER.findall(text))


@pytest.mark.parametrize("language", CATALOGUES)
def test_texts_have_the_placeholders_of_english(language: str) -> None:
    english, texts = CATALOGUES["en"], CATALOGUES[language]
    assert list(texts) == sorted(texts), "sorted, so that changes of two people meet less often"
    assert set(texts) <= set(english), "a text that English lacks is nowhere shown"
    for key, text in texts.items():
        assert text.strip(), key
        assert _placeholders(text) == _placeholders(english[key]), key
        assert len(text) <= max(2 * len(english[key]) + 16, 40), key


def test_a_language_tag_finds_the_closest_language() -> None:
    closest = {"pt-BR": "pt-BR", "pt-PT": "pt", "zh-Hant-HK": "zh-TW", "zh": "zh-CN", "nn-NO": "nb", "de-AT-1996": "de"}
    assert {tag: match_language(tag, LOCALES) for tag in closest} == closest
    assert not any(map(is_supported, ("tlh", "", "-", None)))
    assert get_locale_strings("tlh") == LOCALES["en"]


@pytest.mark.parametrize("language", LOCALES)
def test_who_chooses_to_ask_for_a_person_is_understood(language: str) -> None:
    assert requests_human(LOCALES[language].ask_for_person)
