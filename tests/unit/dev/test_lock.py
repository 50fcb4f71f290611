"""The lock: one supervisor in a folder."""

import os
from pathlib import Path

import pytest

from parley_dev.errors import AlreadyRunning
from parley_dev.lock import exclusive_lock


def test_a_second_run_in_the_same_folder_is_told_who_runs(tmp_path: Path) -> None:
    with exclusive_lock(tmp_path / "lock"), pytest.raises(AlreadyRunning, match=str(os.getpid())), exclusive_lock(tmp_path / "lock"):
        pass


def test_the_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    with exclusive_lock(tmp_path / "lock"):
        pass
    with exclusive_lock(tmp_path / "lock"):
        pass
