"""The public keys of an external identity provider (a JSON Web Key Set), cached."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import jwt

from parley.common.errors import Unavailable
from parley.common.observability.logging import get_logger
from parley.gateway.auth.tokens import CredentialRejected
from parley.gateway.timeouts import JWKS_REFRESH_SECONDS, JWKS_RETRY_DELAY_SECONDS

log = get_logger(__name__)

_KEY_TYPES = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
_MAX_KEYS = 64
_MIN_RSA_BITS = 2048


class JwksCache:
    """Keys by their id, fetched again when they are old or a token names an unknown key.

    `fetch` is called at most every ten seconds. `on_change` is called when the keys have changed.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Mapping[str, Any]]],
        algorithm: str,
        on_change: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._algorithm = algorithm
        self._on_change = on_change
        self._monotonic = monotonic
        self._keys: dict[str | None, Any] = {}
        self._attempted_at: float | None = None
        self._fetched_at: float | None = None
        self._lock = asyncio.Lock()

    async def get_key(self, key_id: str | None) -> Any:
        """Return the key with this id; a token without a key id is accepted only while there is a single key.

        Raises CredentialRejected for an unknown key, Unavailable until the provider has responded once.
        """
        if self._must_refresh(key_id):
            async with self._lock:
                if self._may_retry() and self._must_refresh(key_id):
                    await self._refresh()
        if self._fetched_at is None:
            raise Unavailable("The identity provider's keys cannot be read right now.")
        key = self._find(key_id)
        if key is None:
            raise CredentialRejected("unknown_key")
        return key

    def _find(self, key_id: str | None) -> Any:
        if key_id is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(key_id)

    def _must_refresh(self, key_id: str | None) -> bool:
        if self._fetched_at is None or self._monotonic() - self._fetched_at > JWKS_REFRESH_SECONDS:
            return True
        return self._find(key_id) is None

    def _may_retry(self) -> bool:
        return self._attempted_at is None or self._monotonic() - self._attempted_at >= JWKS_RETRY_DELAY_SECONDS

    async def _refresh(self) -> None:
        self._attempted_at = self._monotonic()
        try:
            keys = self._parse(await self._fetch())
        except Exception as exc:
            log.warning("identity_provider_keys_unavailable", error=repr(exc)[:300])
            return
        self._fetched_at = self._monotonic()
        if keys.keys() != self._keys.keys() or any(keys[name].key != self._keys[name].key for name in keys):
            self._keys = keys
            self._on_change()

    def _parse(self, document: Mapping[str, Any]) -> dict[str | None, Any]:
        keys: dict[str | None, Any] = {}
        for entry in list(document["keys"])[:_MAX_KEYS]:
            if not isinstance(entry, dict) or not self._is_usable(entry):
                continue
            try:
                key = jwt.PyJWK(entry, algorithm=self._algorithm)
            except (jwt.PyJWTError, ValueError):
                continue
            if entry["kty"] == "RSA" and getattr(key.key, "key_size", _MIN_RSA_BITS) < _MIN_RSA_BITS:
                continue
            keys[entry.get("kid")] = key
        return keys

    def _is_usable(self, entry: Mapping[str, Any]) -> bool:
        return (
            entry.get("kty") == _KEY_TYPES[self._algorithm]
            and entry.get("use", "sig") == "sig"
            and entry.get("alg", self._algorithm) == self._algorithm
            and isinstance(entry.get("kid"), str | None)
        )
