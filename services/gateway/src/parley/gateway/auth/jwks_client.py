"""Fetches the key set of an external identity provider over HTTPS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

from parley.gateway.timeouts import JWKS_TIMEOUT_SECONDS

_MAX_BYTES = 256 * 1024


class JwksClient:
    """The JWKS endpoint of a provider."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def fetch(self) -> Mapping[str, Any]:
        """Return the document, of at most 256 KB. Raises aiohttp.ClientError, TimeoutError (5 s), ValueError."""
        timeout = aiohttp.ClientTimeout(total=JWKS_TIMEOUT_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(self._url, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise ValueError(f"the identity provider responded with status {response.status}")
            body = await response.content.read(_MAX_BYTES + 1)
            while len(body) <= _MAX_BYTES and (part := await response.content.read(_MAX_BYTES)):
                body += part
        if len(body) > _MAX_BYTES:
            raise ValueError("the identity provider's document is too large")
        document = orjson.loads(body)
        if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
            raise ValueError("the identity provider's document is not a key set")
        return document
