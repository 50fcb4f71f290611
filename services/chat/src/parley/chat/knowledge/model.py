"""Knowledge entries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

_DIGEST_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class KnowledgeEntry:
    """A question and its answer."""

    id: int
    tenant_id: int
    site_id: int
    question: str
    answer: str

    @property
    def version(self) -> str:
        return content_version(self.question, self.answer)


def entries_version(entries: Iterable[KnowledgeEntry]) -> str:
    """Return a digest of a site's entries: another one with each change of them."""
    content = json.dumps(sorted((entry.id, entry.version) for entry in entries))
    return hashlib.sha256(content.encode()).hexdigest()[:_DIGEST_CHARACTERS]


def content_version(question: str, answer: str) -> str:
    """Return the version of an entry: a digest of its content.

    Not a counter, which replicas of the version before would not increment.
    """
    content = json.dumps([question, answer])
    return hashlib.sha256(content.encode()).hexdigest()[:_DIGEST_CHARACTERS]
