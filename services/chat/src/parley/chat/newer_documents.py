"""Documents that a newer version of the code has written: this version reads what it knows, and keeps the rest.

Versions N and N−1 run side by side. A save by version N−1 must not remove what version N has stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from parley.common.mongodb import Document, Mongo

_IDENTITIES = (("id",), ("language", "key"), ("key",), ("version",), ("name",))
"""By the first of these that it has, an element of a stored list is recognized."""


def known_fields(model: type[Any], document: Mapping[str, Any]) -> Document:
    """Return the fields that this version's dataclass has. Fields absent from a document get their defaults."""
    names = {field.name for field in fields(model)}
    return {name: value for name, value in document.items() if name in names}


async def with_unknown_fields(
    mongo: Mongo, collection: str, query: Document, to_known: Callable[[Document], Document], after: Document
) -> Document:
    """Return the fields to set in a stored document, with what only a newer version knows inside of them.

    `to_known` returns what this version makes of the stored document, in the form of `after`.
    """
    stored = await mongo[collection].find_one(query)
    return after if stored is None else keep_unknown_fields(stored, to_known(stored), after)


def keep_unknown_fields(stored: Document, before: Document, after: Document) -> Document:
    """Return `after`, and inside of its fields what `stored` has and `before` lacks.

    `before` is what this version makes of `stored`: what it has and `after` lacks is removed. An element of a list
    keeps its fields if it has the same identity or, where there is none, is equal.
    """
    return {name: _merge(stored.get(name), before.get(name), value) for name, value in after.items()}


def _merge(stored: Any, before: Any, after: Any) -> Any:
    if isinstance(stored, Mapping) and isinstance(before, Mapping) and isinstance(after, Mapping):
        unknown = {name: value for name, value in stored.items() if name not in before and name not in after}
        return unknown | {name: _merge(stored.get(name), before.get(name), value) for name, value in after.items()}
    if _is_list(stored) and _is_list(before) and _is_list(after):
        return list(_merge_elements(stored, before, after))
    return after


def _merge_elements(stored: Sequence[Any], before: Sequence[Any], after: Sequence[Any]) -> Iterator[Any]:
    if len(stored) != len(before):
        yield from after
        return
    pairs = list(zip(stored, before, strict=True))
    identified = {identity: pair for pair in pairs if (identity := _identity(pair[1]))}
    for element in after:
        identity = _identity(element)
        equal = (pair for pair in pairs if pair[1] == element)
        pair = identified.get(identity) if identity else next(equal, None)
        yield element if pair is None else _merge(*pair, element)


def _identity(element: Any) -> tuple[Any, ...]:
    if not isinstance(element, Mapping):
        return ()
    names = next((names for names in _IDENTITIES if all(name in element for name in names)), ())
    return tuple((name, element[name]) for name in names)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)
