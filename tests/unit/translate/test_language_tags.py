"""Language tags: validation, standard form, and matching with engine codes."""

from __future__ import annotations

import pytest

from parley.common.errors import ValidationFailed
from parley.translate.languages.tags import is_same_language, match_language_code, parse_language_tag

GOOGLE = ["de", "en", "fil", "iw", "no", "pt", "pt-PT", "sr", "zh-CN", "zh-TW"]


@pytest.mark.parametrize(
    ("value", "tag"),
    [("de", "de"), ("PT-br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("iw", "he"), ("yue", "yue"), ("en_GB", "en-GB")],
)
def test_tag_is_returned_in_its_standard_form(value: str, tag: str) -> None:
    assert parse_language_tag(value, "lang") == tag


@pytest.mark.parametrize(
    "value", ["", "d", "deutsch", "xx", "und", "mul", "zxx", "mis", "qaa", "x-mine", "de--DE", "😀"]
)
def test_invalid_tag_is_refused_with_the_field_name(value: str) -> None:
    with pytest.raises(ValidationFailed) as exc_info:
        parse_language_tag(value, "operator_lang")
    assert list(exc_info.value.fields) == ["operator_lang"]


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("de-AT", "de"),
        ("pt-BR", "pt"),
        ("pt-PT", "pt-PT"),
        ("zh-Hans", "zh-CN"),
        ("zh-Hant", "zh-TW"),
        ("zh-HK", "zh-TW"),
        ("nb", "no"),
        ("he", "iw"),
        ("da", None),
        ("gsw", None),
        ("cy", None),
        ("tlh", None),
    ],
)
def test_engine_code_is_matched_by_meaning(tag: str, code: str | None) -> None:
    assert match_language_code(tag, GOOGLE) == code


def test_engine_without_languages_matches_nothing() -> None:
    assert match_language_code("de", []) is None


def test_mutually_readable_languages_are_the_same() -> None:
    assert is_same_language("en", "en-GB")
    assert is_same_language("nb", "no")
    assert not is_same_language("zh-Hans", "zh-Hant")
    assert not is_same_language("da", "nb")
    assert not is_same_language("es", "pt")
