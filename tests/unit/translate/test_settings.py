"""Settings: every named engine exists and is configured, or the service refuses to start."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from parley.common.runtime.settings import load_settings
from parley.translate.settings import TranslateSettings

REQUIRED = {
    "PARLEY_IDENTITY_SECRET": "b1946ac92492d2347c6235b4d2611184",
    "AMQP_URL": "amqp://localhost",
    "MONGODB_URI": "mongodb://localhost",
}
ReadSettings = Callable[..., TranslateSettings]


@pytest.fixture
def read_settings(monkeypatch: pytest.MonkeyPatch) -> ReadSettings:
    def read(**environment: str) -> TranslateSettings:
        for name, value in {**REQUIRED, **environment}.items():
            monkeypatch.setenv(name, value)
        return TranslateSettings()

    return read


def test_all_configured_engines_are_used_by_default(read_settings: ReadSettings) -> None:
    assert read_settings().engine_names == ("local",)
    assert read_settings(PARLEY_GOOGLE_PROJECT="acme").engine_names == ("google", "local")


def test_named_engines_are_used_in_their_order(read_settings: ReadSettings) -> None:
    settings = read_settings(PARLEY_GOOGLE_PROJECT="acme", PARLEY_TRANSLATE_ENGINES="local, google")
    assert settings.engine_names == ("local", "google")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"PARLEY_TRANSLATE_ENGINES": "deepl"}, "unknown translation engine: deepl"),
        ({"PARLEY_TRANSLATE_ENGINES": "local,Local"}, "unknown translation engine: Local"),
        ({"PARLEY_TRANSLATE_ENGINES": "google"}, "google is not configured"),
        ({"PARLEY_GOOGLE_PLAINTEXT": "true"}, "for development only"),
        ({"PARLEY_LIBRETRANSLATE_URL": "ftp://somewhere"}, "pattern"),
    ],
)
def test_invalid_configuration_is_refused(
    read_settings: ReadSettings, environment: dict[str, str], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        read_settings(**environment)


def test_unknown_engine_stops_the_start_with_a_clear_message(
    read_settings: ReadSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    read_settings()
    monkeypatch.setenv("PARLEY_TRANSLATE_ENGINES", "deepl,local")
    with pytest.raises(SystemExit) as exc_info:
        load_settings(TranslateSettings)
    assert exc_info.value.code == 78
    assert (
        "PARLEY_TRANSLATE_ENGINES: unknown translation engine: deepl; known engines are google, libretranslate, local"
        in capsys.readouterr().err
    )
