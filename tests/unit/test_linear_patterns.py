"""Every regular expression takes linear time, on text that was written to be slow as well.

One pattern that backtracks lets one anonymous request stop the event loop for seconds. The patterns of all modules are
found by importing them; texts are built from each pattern's own syntax: the beginning of a match, a part that repeats,
and an end that does not match. Patterns of pydantic's fields are not tried: they run in an engine without backtracking.
"""

from __future__ import annotations

import ast
import gc
import importlib
import inspect
import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import parley
from parley.chat import handoff_requests
from parley.translate.translations import placeholders

_parser: Any = importlib.import_module("re._parser")

SIZE = 4_000
FACTOR = 4
NEGLIGIBLE_SECONDS = 0.002
TRIED = (
    (placeholders, "_pattern"),
    (handoff_requests, "_vocabulary"),
    (handoff_requests, "_compile"),
)
"""Functions that compile patterns, which are tried all the same."""
MAX_GROWTH = 9.0
"""Linear work grows by the factor 4, quadratic work by 16."""


@cache
def modules() -> tuple[Any, ...]:
    files = [(Path(folder).parent, file) for folder in parley.__path__ for file in Path(folder).rglob("*.py")]
    names = {".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for root, file in files}
    return tuple(importlib.import_module(name) for name in sorted(names) if not name.endswith("__main__"))


def parse(source: str) -> ast.Module:
    """Python 3.11 fails to build a tree if garbage collection closes a coroutine meanwhile."""
    gc.disable()
    try:
        return ast.parse(source)
    finally:
        gc.enable()


def patterns_in(value: object, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict) and depth < 3:
        for member in value.values():
            yield from patterns_in(member, depth + 1)
    elif isinstance(value, list | tuple | set | frozenset) and depth < 3:
        for member in value:
            yield from patterns_in(member, depth + 1)


def all_patterns() -> list[re.Pattern[Any]]:
    found = {pattern for module in modules() for value in vars(module).values() for pattern in patterns_in(value)}
    found.add(placeholders._pattern(("Glossary term", "A+")))
    vocabulary = handoff_requests._vocabulary()
    found.update(patterns_in([vocabulary.languages, vocabulary.negations_after]))
    return sorted(found, key=repr)


def samples(tree: Any) -> list[str]:
    """Short texts that match a parsed pattern, one for each of its alternatives."""
    texts = [""]
    for operation, argument in tree:
        name = str(operation)
        if name == "LITERAL":
            options = [chr(argument)]
        elif name in ("NOT_LITERAL", "ANY"):
            options = ["x"]
        elif name == "IN":
            options = [members(argument)[0]]
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            options = [text * max(argument[0], 1) for text in samples(argument[2])]
        elif name == "SUBPATTERN":
            options = samples(argument[3])
        elif name == "BRANCH":
            options = [text for branch in argument[1] for text in samples(branch)]
        elif name == "ATOMIC_GROUP":
            options = samples(argument)
        else:
            options = [""]
        texts = [text + option for text in texts for option in options][:60]
    return texts


def members(argument: Any) -> list[str]:
    """Characters of a character class."""
    categories = {"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a", "CATEGORY_NOT_SPACE": "a"}
    negated, found = False, []
    for operation, value in argument:
        match str(operation):
            case "NEGATE":
                negated = True
            case "LITERAL":
                found.append(chr(value))
            case "RANGE":
                found += [chr(value[0]), chr(value[1])]
            case "CATEGORY":
                found.append(categories.get(str(value), "-"))
    if negated:
        found = [letter for letter in "a1) -." if letter not in found]
    return found or ["x"]


def alphabet(tree: Any) -> set[str]:
    letters: set[str] = set()
    for operation, argument in tree:
        name = str(operation)
        if name == "LITERAL":
            letters.add(chr(argument))
        elif name == "IN":
            letters.update(members(argument))
        elif name.endswith("_REPEAT"):
            letters |= alphabet(argument[2])
        elif name == "SUBPATTERN":
            letters |= alphabet(argument[3])
        elif name == "BRANCH":
            for branch in argument[1]:
                letters |= alphabet(branch)
    return letters


def hostile_texts(pattern: re.Pattern[Any]) -> Iterator[Callable[[int], Any]]:
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    tree = _parser.parse(source, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags)
    begins = {text[:end] for text in samples(tree) for end in (0, len(text) // 2, len(text) - 1, len(text)) if end >= 0}
    units = {*alphabet(tree), " ", "a", "1", ")", *samples(tree)} - {""}
    for begin in sorted(begins, key=len)[:16]:
        for unit in sorted(units)[:32]:
            for end in ("\x00", " "):
                yield lambda size, parts=(begin, unit, end): encode(  # type: ignore[misc]
                    parts[0] + parts[1] * (size // len(parts[1])) + parts[2], pattern
                )


def encode(text: str, pattern: re.Pattern[Any]) -> Any:
    return text if isinstance(pattern.pattern, str) else text.encode("latin-1", "replace")


def seconds(pattern: re.Pattern[Any], text: Any) -> float:
    started = time.thread_time()
    pattern.fullmatch(text)
    for _ in pattern.finditer(text):
        pass
    return time.thread_time() - started


def grows_faster_than_linear(pattern: re.Pattern[Any], build: Callable[[int], Any]) -> bool:
    large = build(SIZE)
    taken = seconds(pattern, large)
    if taken < NEGLIGIBLE_SECONDS:
        return False
    small = build(SIZE // FACTOR)
    limit = max(NEGLIGIBLE_SECONDS, MAX_GROWTH * min(seconds(pattern, small) for _ in range(3)))
    return taken > limit and min(seconds(pattern, large) for _ in range(3)) > limit


@pytest.mark.parametrize("pattern", all_patterns(), ids=lambda pattern: repr(pattern.pattern)[:60])
def test_a_pattern_takes_linear_time(pattern: re.Pattern[Any]) -> None:
    """A15: every compiled pattern takes linear time on hostile text built from its own syntax."""
    for build in hostile_texts(pattern):
        assert not grows_faster_than_linear(pattern, build), f"slow on {build(60)!r}"


@pytest.mark.parametrize("slow", [r"https?://[^\s/]+[^\s]*", r"^(\s*)(.*?)(\s*)$", r"\s+$", r"a+b"])
def test_a_pattern_that_backtracks_is_found(slow: str) -> None:
    pattern = re.compile(slow, re.DOTALL)
    assert any(grows_faster_than_linear(pattern, build) for build in hostile_texts(pattern))


def test_patterns_are_compiled_where_this_test_finds_them() -> None:
    """At the level of a module. A pattern within a function would not be tried."""
    exempt = {"parley.common.http.openapi", "parley.gateway.openapi.merge"}  # They see routes, which nobody sends.
    stray = []
    for module in modules():
        if module.__name__ in exempt or not module.__file__:
            continue
        source = inspect.getsource(module)
        if "import re" not in source:
            continue  # It has no name `re`; to parse every module takes seconds.
        for function in ast.walk(parse(source)):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            stray += [
                f"{module.__name__}:{call.lineno}"
                for call in ast.walk(function)
                if isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and isinstance(call.func.value, ast.Name)
                and call.func.value.id == "re"
                and call.func.attr != "escape"
                and (module, function.name) not in TRIED
            ]
    assert stray == []
