"""Advice about versions of MongoDB and RabbitMQ that are out of support or have known vulnerabilities.

Services log it when they start; `parley config check` shows it.
"""

from __future__ import annotations

import re

_MONGODB_FIXED = {(6, 0): 27, (7, 0): 28, (8, 0): 17, (8, 2): 3}
"""The first patch of each release line without CVE-2025-14847: memory of the server is disclosed before any login."""
_MONGODB_SUPPORTED = (7, 0)
_RABBITMQ_SUPPORTED = (4, 1)

_NUMBER = re.compile(r"\d+")


def mongodb_advice(version: str) -> str | None:
    """Return why a version should be replaced; None if nothing is known against it."""
    line, patch = _parse(version)
    if line in _MONGODB_FIXED and patch < _MONGODB_FIXED[line]:
        fixed = f"{line[0]}.{line[1]}.{_MONGODB_FIXED[line]}"
        return f"MongoDB {version} discloses memory before login (CVE-2025-14847): update to {fixed} or newer"
    if line < _MONGODB_SUPPORTED:
        return f"MongoDB {version} is no longer supported by its vendor: update to 8.0"
    return None


def rabbitmq_advice(version: str) -> str | None:
    """Return why a version should be replaced; None if nothing is known against it."""
    if _parse(version)[0] < _RABBITMQ_SUPPORTED:
        return f"RabbitMQ {version} is no longer supported by its vendor: update to 4.2"
    return None


def _parse(version: str) -> tuple[tuple[int, int], int]:
    numbers = [int(number) for number in _NUMBER.findall(version)[:3]]
    major, minor, patch = [*numbers, 0, 0, 0][:3]
    return (major, minor), patch
