"""Which parts there are, in the order in which they run: what leaves the most behind comes last."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from bench.interface import Part

NAMES = ("send", "delivery", "fanout", "gateway", "presence", "start", "growth", "lists")


def part(name: str) -> Part:
    """The part of a name; KeyError where there is none."""
    if name not in NAMES:
        raise KeyError(name)
    return cast("Part", import_module(f"bench.parts.{name}").PART)
