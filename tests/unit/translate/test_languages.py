"""Tags: which name a language, which of an engine's codes means one, which are as good as the same."""

from __future__ import annotations

import pytest

from parley.common.errors import Invalid
from parley.translate.languages.tags import best_code, language_tag, same_language

GOOGLE = ["de", "en", "fil", "iw", "no", "pt", "pt-PT", "sr", "zh-CN", "zh-TW"]


@pytest.mark.parametrize(
    ("value", "tag"),
    [("de", "de"), ("PT-br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("iw", "he"), ("yue", "yue"), ("en_GB", "en-GB")],
)
def test_a_tag_is_kept_in_its_standard_form(value: str, tag: str) -> None:
    assert language_tag(value, "lang") == tag


@pytest.mark.parametrize(
    "value", ["", "d", "deutsch", "xx", "und", "mul", "zxx", "mis", "qaa", "x-mine", "de--DE", "😀"]
)
def test_what_names_no_language_is_refused_by_its_field(value: str) -> None:
    with pytest.raises(Invalid) as caught:
        language_tag(value, "operator_lang")
    assert list(caught.value.fields) == ["operator_lang"]


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
def test_an_engines_code_is_found_only_where_it_means_the_language(tag: str, code: str | None) -> None:
    assert best_code(tag, GOOGLE) == code


def test_an_engine_with_no_languages_does_none() -> None:
    assert best_code("de", []) is None


def test_who_reads_one_reads_the_other() -> None:
    assert same_language("en", "en-GB")
    assert same_language("nb", "no")
    assert not same_language("zh-Hans", "zh-Hant")
    assert not same_language("da", "nb")
    assert not same_language("es", "pt")
