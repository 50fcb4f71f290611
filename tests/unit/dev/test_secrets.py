"""Secrets: generated once, stored, readable by their owner only."""

from pathlib import Path

from parley_dev.secrets import Secrets


def test_secrets_are_the_same_in_every_run(tmp_path: Path) -> None:
    path = tmp_path / ".dev" / "secrets.json"
    assert Secrets.load_or_create(path) == Secrets.load_or_create(path)


def test_secrets_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    created = Secrets.load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(created.identity) == len(created.jwt) == 64
    assert created.identity != created.jwt
