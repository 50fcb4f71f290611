"""Invalid settings stop the start, and the message names the variable."""

from __future__ import annotations

import pytest

from parley.common.runtime.settings import load_settings
from parley.gateway.settings import GatewaySettings

VALID = {
    "AMQP_URL": "amqp://localhost",
    "PARLEY_ENV": "development",
    "PARLEY_IDENTITY_SECRET": "b1946ac92492d2347c6235b4d2611184",
    "PARLEY_JWT_SECRET": "5d41402abc4b2a76b9719d911017c592",
    **{f"PARLEY_{name}_URLS": "http://localhost:8080" for name in ("CHAT", "PRESENCE", "NOTIFY", "TRANSLATE")},
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in VALID.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_valid_settings_are_accepted(environment: pytest.MonkeyPatch) -> None:
    assert load_settings(GatewaySettings).env == "development"


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"PARLEY_JWT_SECRET": "short"}, "PARLEY_JWT_SECRET"),
        ({"PARLEY_ENV": "production", "PARLEY_JWT_SECRET": "changeme-changeme-changeme-changeme"}, "PARLEY_JWT_SECRET"),
        ({"PARLEY_JWT_SECRET": None}, "PARLEY_JWT_SECRET"),
        ({"PARLEY_JWT_ALGORITHM": "RS256"}, "PARLEY_JWT_ALGORITHM"),
        ({"PARLEY_JWT_ALGORITHM": "none"}, "PARLEY_JWT_ALGORITHM"),
        ({"PARLEY_CHAT_URLS": "chat:8080"}, "PARLEY_CHAT_URLS"),
        ({"PARLEY_TRUSTED_PROXIES": "10.0.0.0/99"}, "PARLEY_TRUSTED_PROXIES"),
        ({"PARLEY_LIMITS_ADDRESS": "read=fast"}, "PARLEY_LIMITS_ADDRESS"),
    ],
)
def test_invalid_settings_are_rejected_with_their_name(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], changed: dict[str, str | None], name: str
) -> None:
    for variable, value in changed.items():
        if value is None:
            environment.delenv(variable)
        else:
            environment.setenv(variable, value)
    with pytest.raises(SystemExit):
        load_settings(GatewaySettings)
    assert name in capsys.readouterr().err
