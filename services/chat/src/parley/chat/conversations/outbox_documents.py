"""What rides in a document's outbox yet, on its way to a collection of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from parley.common.mongodb import Document


def carried(holder: Document | None, collection: str) -> Iterator[Document]:
    """What a document's outbox carries for a collection."""
    entries: list[Any] = holder["outbox"] if holder else []
    for entry in entries:
        for one in entry.get("carried", ()):
            if one["into"] == collection:
                yield one["document"]
