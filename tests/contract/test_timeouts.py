"""Timeouts, delays and intervals are in the packages' `timeouts.py` or are settings; nothing else has its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    file
    for folder in (ROOT / "libs", ROOT / "services")
    for file in folder.glob("*/src/**/*.py")
    if file.name not in ("timeouts.py", "settings.py")
)

_NAME = re.compile(r"(_SECONDS|_MS|_TIMEOUT|_INTERVAL|_DELAY|(?<!PER)_LEASE|_TTL)$")
_WAITS = {"PeriodicTask": 0, "timeout": 0, "sleep": 0, "wait_for": 1}
"""Calls that take a time, and the position of that argument."""


def _has_number(value: ast.expr | None) -> bool:
    """Whether an expression is a number, or is computed from numbers only, like `timedelta(seconds=2)`."""
    if value is None or any(isinstance(node, ast.Name) and _NAME.search(node.id) for node in ast.walk(value)):
        return False
    if isinstance(value, ast.Call) and not any(
        name in ast.unparse(value.func) for name in ("timedelta", "Timeout", "float", "int")
    ):
        return False
    return any(isinstance(node, ast.Constant) and isinstance(node.value, int | float) for node in ast.walk(value))


def _own_times(file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text())
    path = file.relative_to(ROOT).as_posix()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and _NAME.search(target.id) and _has_number(node.value):
                    yield f"{path}:{node.lineno} {target.id}"
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            position = _WAITS.get(name)
            if position is not None and len(node.args) > position:
                argument = node.args[position]
                # `sleep(0)` lets other tasks run.
                if isinstance(argument, ast.Constant) and isinstance(argument.value, int | float) and argument.value:
                    yield f"{path}:{node.lineno} {name}({argument.value})"


def test_every_time_is_in_a_module_of_timeouts() -> None:
    assert len(SOURCES) > 100
    assert [time for file in SOURCES for time in _own_times(file)] == []
