"""Asks the other services over RPC what they store about a visitor."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from parley.chat.visitors.model import DataSubject
from parley.common.messaging import RpcClient


class RpcDataSources:
    """Implements RemoteDataSources with one RPC client for each service."""

    def __init__(self, services: Mapping[str, RpcClient]) -> None:
        self._services = services

    async def __call__(self, subject: DataSubject, conversation_ids: Sequence[int]) -> Mapping[str, Any]:
        params = {
            "site_id": subject.site_id,
            "session": subject.session,
            "conversation_ids": list(conversation_ids),
        }
        results = await asyncio.gather(*(call("visitor_data", **params) for call in self._services.values()))
        return dict(zip(self._services, results, strict=True))
