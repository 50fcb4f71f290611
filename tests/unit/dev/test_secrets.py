"""Secrets: made once, kept, and read by their owner alone."""

from pathlib import Path

from parley_dev.secrets import Secrets


def test_secrets_stay_the_same_from_run_to_run(tmp_path: Path) -> None:
    path = tmp_path / ".dev" / "secrets.json"
    assert Secrets.load_or_create(path) == Secrets.load_or_create(path)


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = Secrets.load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(made.identity) == len(made.jwt) == 64
    assert made.identity != made.jwt
