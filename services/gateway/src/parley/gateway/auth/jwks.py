"""The keys of an external identity provider: remembered, and looked up again when a token names one we do not know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import jwt

from parley.common.errors import Unavailable
from parley.common.observability.logging import logger
from parley.gateway.auth.tokens import CredentialRefused

log = logger(__name__)

_FAMILIES = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
_FRESH_SECONDS = 600.0
_AGAIN_SECONDS = 10.0
_MOST_KEYS = 64
_RSA_BITS = 2048


class KeySet:
    """The provider's keys by their id. `fetch` brings the JWKS document; it is asked at most every ten seconds."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Mapping[str, Any]]],
        algorithm: str,
        changed: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._algorithm = algorithm
        self._changed = changed
        self._now = now
        self._keys: dict[str | None, Any] = {}
        self._tried_at: float | None = None
        self._fetched_at: float | None = None
        self._lock = asyncio.Lock()

    async def key_for(self, key_id: str | None) -> Any:
        """The key that a token names; a token that names none fits only where there is one key.

        Raises CredentialRefused for an unknown key, Unavailable while the provider has never answered.
        """
        if self._is_old() or self._find(key_id) is None:
            async with self._lock:
                if self._may_try() and (self._is_old() or self._find(key_id) is None):
                    await self._refresh()
        if self._fetched_at is None:
            raise Unavailable("The identity provider's keys cannot be read right now.")
        key = self._find(key_id)
        if key is None:
            raise CredentialRefused("unknown_key")
        return key

    def _find(self, key_id: str | None) -> Any:
        if key_id is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(key_id)

    def _is_old(self) -> bool:
        return self._fetched_at is None or self._now() - self._fetched_at > _FRESH_SECONDS

    def _may_try(self) -> bool:
        return self._tried_at is None or self._now() - self._tried_at >= _AGAIN_SECONDS

    async def _refresh(self) -> None:
        self._tried_at = self._now()
        try:
            document = await self._fetch()
            keys = self._read(document)
        except Exception as exc:
            log.warning("identity_provider_keys_unavailable", error=repr(exc)[:300])
            return
        self._fetched_at = self._now()
        if keys.keys() != self._keys.keys() or any(_changed(keys[name], self._keys[name]) for name in keys):
            self._keys = keys
            self._changed()

    def _read(self, document: Mapping[str, Any]) -> dict[str | None, Any]:
        found: dict[str | None, Any] = {}
        for entry in list(document["keys"])[:_MOST_KEYS]:
            if not isinstance(entry, dict) or not self._fits(entry):
                continue
            try:
                key = jwt.PyJWK(entry, algorithm=self._algorithm)
            except (jwt.PyJWTError, ValueError):
                continue
            if getattr(key.key, "key_size", _RSA_BITS) < _RSA_BITS and entry["kty"] == "RSA":
                continue
            found[entry.get("kid")] = key
        return found

    def _fits(self, entry: Mapping[str, Any]) -> bool:
        return (
            entry.get("kty") == _FAMILIES[self._algorithm]
            and entry.get("use", "sig") == "sig"
            and entry.get("alg", self._algorithm) == self._algorithm
            and isinstance(entry.get("kid"), str | None)
        )


def _changed(new: jwt.PyJWK, old: jwt.PyJWK) -> bool:
    return bool(new.key != old.key)
