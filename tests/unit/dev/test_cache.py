"""The cache of downloaded binaries: an entry is complete or absent."""

from pathlib import Path

import pytest

from parley_dev.errors import ServerUnavailable
from parley_dev.servers.cache import cache_directory, cached_directory


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "parley" / "servers"


def test_an_entry_is_created_once(cache: Path) -> None:
    fills: list[Path] = []

    def fill(draft: Path, final: Path) -> None:
        fills.append(final)
        (draft / "program").write_text("binary")

    assert cached_directory("server", fill) == cached_directory("server", fill) == cache / "server"
    assert fills == [cache / "server"]
    assert (cache / "server" / "program").read_text() == "binary"


def test_a_failed_download_leaves_no_entry(cache: Path) -> None:
    def fill(draft: Path, _final: Path) -> None:
        (draft / "program").write_text("half")
        raise ServerUnavailable("the network went away")

    with pytest.raises(ServerUnavailable):
        cached_directory("server", fill)
    assert not (cache / "server").exists()
    assert [path.name for path in cache.iterdir() if path.is_dir()] == []


def test_a_home_directory_with_spaces_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "My Cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert " " not in str(cache_directory())
