"""The other services, asked what they hold of a visitor: the domain's Elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from parley.chat.conversations.model import Subject
from parley.common.messaging import Ask


class AskElsewhere:
    def __init__(self, services: Mapping[str, Ask]) -> None:
        self._services = services

    async def __call__(self, subject: Subject, conversation_ids: Sequence[int]) -> Mapping[str, Any]:
        question = {
            "site_id": subject.site_id,
            "session": subject.session,
            "conversation_ids": list(conversation_ids),
        }
        answers = await asyncio.gather(*(ask("visitor_data", **question) for ask in self._services.values()))
        return dict(zip(self._services, answers, strict=True))
