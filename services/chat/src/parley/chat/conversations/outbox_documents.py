"""Documents that are still embedded in an outbox, on their way to a collection of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from parley.common.mongodb import Document


def outbox_documents(holder: Document | None, collection: str) -> Iterator[Document]:
    """The documents that the outbox of `holder` will insert into a collection."""
    entries: list[Any] = holder["outbox"] if holder else []
    for entry in entries:
        for insert in entry.get("carried", ()):
            if insert["into"] == collection:
                yield insert["document"]
