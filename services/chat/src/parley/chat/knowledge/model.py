"""Knowledge entries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnowledgeEntry:
    """A question and its answer."""

    id: int
    tenant_id: int
    site_id: int
    question: str
    answer: str
