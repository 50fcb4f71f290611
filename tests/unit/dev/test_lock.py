"""The lock: one supervisor per directory."""

import os
from pathlib import Path

import pytest

from parley_dev.errors import AlreadyRunning
from parley_dev.lock import exclusive_lock


def test_a_second_run_in_the_same_directory_reports_the_first(tmp_path: Path) -> None:
    with (
        exclusive_lock(tmp_path / "lock"),
        pytest.raises(AlreadyRunning, match=str(os.getpid())),
        exclusive_lock(tmp_path / "lock"),
    ):
        pass


def test_the_lock_is_released_afterwards(tmp_path: Path) -> None:
    with exclusive_lock(tmp_path / "lock"):
        pass
    with exclusive_lock(tmp_path / "lock"):
        pass
