"""The command line: errors are printed as one sentence, without a traceback."""

import socket
from pathlib import Path

import pytest

from parley_dev.cli import main
from parley_dev.lock import exclusive_lock
from parley_dev.ports import LOOPBACK, free_port


@pytest.mark.parametrize("arguments", [["--port", "eighty"], ["--port", "70000"], ["--replicas", "0"]])
def test_invalid_numbers_are_rejected(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert arguments[1] in capsys.readouterr().err


def test_a_port_in_use_is_reported_with_an_alternative(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        port = free_port()
        other.bind((LOOPBACK, port))
        other.listen()
        assert main(["--directory", str(tmp_path), "--port", str(port)]) == 1
    assert f"make run PORT={port + 1}" in capsys.readouterr().err


def test_a_second_run_is_rejected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with exclusive_lock(tmp_path / "lock"):
        assert main(["--directory", str(tmp_path)]) == 1
    assert "already" in capsys.readouterr().err
