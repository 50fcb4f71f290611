"""The service account key and the mail server are validated before the service starts; errors never quote the key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from parley.notify.settings import NotifySettings, parse_service_account

KEY = {
    "project_id": "p",
    "client_email": "e@p.iam.gserviceaccount.com",
    "private_key": "PRIVATE-PART",
    "token_uri": "https://oauth2.googleapis.com/token",
}


def test_the_key_may_be_json_or_a_path(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps(KEY))
    assert parse_service_account(json.dumps(KEY)) == parse_service_account(str(file)) == KEY


@pytest.mark.parametrize(
    "value",
    [
        "{not json PRIVATE-PART",
        json.dumps({**KEY, "project_id": None}),
        "[]",
        "/nowhere/key.json",
        '{"a": "PRIVATE-PART"}',
    ],
)
def test_an_invalid_key_is_refused_without_quoting_it(value: str) -> None:
    with pytest.raises(ValueError, match=r"must be|is not") as refused:
        parse_service_account(value)
    assert "PRIVATE-PART" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"smtp_from": None}, "needs PARLEY_SMTP_FROM"),
        ({"smtp_from": "Parley"}, "must be an address"),
        ({"smtp_from": "Parley <chat@parley.test>\r\nBcc: joe@example.com"}, "must be an address"),
        ({"smtp_username": "parley"}, "must be set together"),
        ({"smtp_username": "parley", "smtp_password": "mail-secret", "smtp_tls": "none"}, "sent in the clear"),
    ],
)
def test_mail_settings_that_cannot_work_are_refused(settings: dict[str, Any], reason: str) -> None:
    base: dict[str, Any] = {
        "env": "development",
        "identity_secret": "x" * 40,
        "amqp_url": "amqp://unused",
        "mongodb_uri": "mongodb://unused",
        "smtp_host": "mail.test",
        "smtp_from": "Parley <chat@parley.test>",
    }
    assert NotifySettings(**base).smtp_account is not None
    with pytest.raises(ValidationError, match=reason):
        NotifySettings(**base | settings)
