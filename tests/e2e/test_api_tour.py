"""The tour of docs/api.md: every command that it shows runs on the demo's data, and none prints null."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from parley_dev.demo import seed
from parley_dev.stack import Stack
from support.authorization_matrix import PDF
from support.file_samples import make_webm

_TOUR = Path(__file__).parents[2] / "docs" / "api.md"
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROGRAMS = ("bash", "curl", "jq", "openssl")
_TIMEOUT_SECONDS = 60
# A field that a response lacks ends the tour, as does a command that fails.
_STRICT = 'set -euo pipefail\njq() { command jq -e "$@"; }\n'


@pytest.mark.skipif(not all(map(shutil.which, _PROGRAMS)), reason=f"needs {', '.join(_PROGRAMS)}")
async def test_every_command_of_the_tour_works(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / ".dev").mkdir()
    await seed(stack, tmp_path / ".dev" / "demo.json")
    (tmp_path / "report.pdf").write_bytes(PDF)
    (tmp_path / "note.webm").write_bytes(make_webm(b"A_OPUS"))
    script = _STRICT + "".join(_BLOCK.findall(_TOUR.read_text()))
    run = await asyncio.create_subprocess_exec(
        "bash", "-c", script, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed = (await asyncio.wait_for(run.communicate(), _TIMEOUT_SECONDS))[0].decode()
    assert run.returncode == 0, printed
    assert '"error":' in printed, "the second operator is refused"
    assert "event: message.created" in printed, "the stream of the operator shows the conversation"
    assert '"success":false' not in printed, printed
    assert '"kind":"audio"' in printed, printed
