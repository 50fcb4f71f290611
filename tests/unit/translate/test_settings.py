"""Settings: an engine that is named is set up, and nothing weak gets into production."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from parley.translate.settings import TranslateSettings

BASE = {
    "PARLEY_IDENTITY_SECRET": "b1946ac92492d2347c6235b4d2611184",
    "AMQP_URL": "amqp://localhost",
    "MONGODB_URI": "mongodb://localhost",
}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    def settings(**environment: str) -> TranslateSettings:
        for name, value in {**BASE, **environment}.items():
            monkeypatch.setenv(name, value)
        return TranslateSettings()

    return settings


def test_without_a_word_the_engines_are_those_that_are_set_up(read) -> None:  # type: ignore[no-untyped-def]
    assert read().engines_in_order == ("local",)
    assert read(PARLEY_GOOGLE_PROJECT="acme").engines_in_order == ("google", "local")


def test_the_order_is_as_named(read) -> None:  # type: ignore[no-untyped-def]
    settings = read(PARLEY_GOOGLE_PROJECT="acme", PARLEY_TRANSLATE_ENGINES="local, google")
    assert settings.engines_in_order == ("local", "google")


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"PARLEY_TRANSLATE_ENGINES": "deepl"}, "there is no engine deepl"),
        ({"PARLEY_TRANSLATE_ENGINES": "google"}, "google, which is not set up"),
        ({"PARLEY_GOOGLE_PLAINTEXT": "true"}, "for development only"),
        ({"PARLEY_LIBRETRANSLATE_URL": "ftp://somewhere"}, "pattern"),
    ],
)
def test_what_cannot_work_is_refused_before_any_socket(read, environment: dict[str, str], why: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValidationError, match=why):
        read(**environment)
