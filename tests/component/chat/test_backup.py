"""`parley backup` and `parley restore`: what they refuse. tests/e2e restores a whole installation."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.infrastructure import Infrastructure
from support.parley_cli import ParleyCli


@pytest.fixture
async def parley(
    infrastructure: Infrastructure, mongodb_uri: str, database_prefix: str, tmp_path: Path
) -> AsyncIterator[ParleyCli]:
    """The command with an empty broker."""
    async with infrastructure.broker(tmp_path) as amqp_url:
        yield ParleyCli(
            {
                "PARLEY_ENV": "development",
                "PARLEY_IDENTITY_SECRET": secrets.token_hex(32),
                "PARLEY_DATABASE_PREFIX": database_prefix,
                "PARLEY_STORAGE_DIR": str(tmp_path / "uploads"),
                "MONGODB_URI": mongodb_uri,
                "AMQP_URL": amqp_url,
            }
        )


async def test_only_a_complete_backup_goes_into_an_empty_installation(parley: ParleyCli, tmp_path: Path) -> None:
    await parley.create_owner()
    file, other = tmp_path / "parley.backup", f"t{secrets.token_hex(4)}"
    written = (await parley("backup", str(file), "--json")).data
    assert written["documents"]["chat/operators"] == 1
    assert file.stat().st_mode & 0o077 == 0, "only its owner may read it"
    again = await parley("backup", str(file))
    assert (again.status, "exists" in again.err) == (1, True), again.err

    occupied = await parley("restore", str(file))
    assert (occupied.status, "not empty" in occupied.err) == (1, True), occupied.err
    truncated = tmp_path / "truncated.backup"
    truncated.write_bytes(file.read_bytes()[:-200])
    broken = await parley("restore", str(truncated), PARLEY_DATABASE_PREFIX=other)
    assert (broken.status, "backup" in broken.err) == (1, True), broken.err

    assert (await parley("restore", str(file), "--json", PARLEY_DATABASE_PREFIX=other)).data == written
    copy = (await parley("backup", str(tmp_path / "copy"), "--json", PARLEY_DATABASE_PREFIX=other)).data
    assert copy["documents"] == {name: count for name, count in written["documents"].items() if count}


async def test_a_failed_backup_leaves_no_file(parley: ParleyCli, tmp_path: Path) -> None:
    file = tmp_path / "parley.backup"
    failed = await parley("backup", str(file), MONGODB_URI="mongodb://127.0.0.1:1/?replicaSet=rs0")
    assert failed.status == 1
    assert not file.exists()
