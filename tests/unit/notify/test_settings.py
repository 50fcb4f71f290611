"""The service account key is validated before the service starts, and errors never quote it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from parley.notify.settings import parse_service_account

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
