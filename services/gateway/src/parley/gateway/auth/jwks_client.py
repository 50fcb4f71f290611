"""Brings the keys of an external identity provider: its JWKS document, over HTTPS, bounded in size and time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

_SECONDS = 5.0
_LARGEST = 256 * 1024


class JwksDocument:
    """Where a provider shows its keys."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __call__(self) -> Mapping[str, Any]:
        """The document. Raises aiohttp.ClientError, TimeoutError, ValueError."""
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as client,
            client.get(self._url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise ValueError(f"the identity provider answered {answer.status}")
            raw = await answer.content.read(_LARGEST + 1)
            while len(raw) <= _LARGEST and (part := await answer.content.read(_LARGEST)):
                raw += part
        if len(raw) > _LARGEST:
            raise ValueError("the identity provider's document is too large")
        document = orjson.loads(raw)
        if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
            raise ValueError("the identity provider's document is no key set")
        return document
