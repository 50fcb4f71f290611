"""Reuse of signed identities."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cachetools import LRUCache

from parley.common.auth.identity import Caller, IdentitySigner
from parley.gateway.auth.cache import ENTRY_BYTES
from parley.gateway.timeouts import IDENTITY_REUSE_SECONDS

KeyT = TypeVar("KeyT", bound=Hashable)


@dataclass(frozen=True, slots=True)
class _SignedIdentity:
    signed_at: float
    source: object
    token: str


def _get_bytes(signed: _SignedIdentity) -> int:
    return ENTRY_BYTES + len(signed.token)


class IdentityCache(Generic[KeyT]):
    """Signs callers, and reuses a signature for 20 s: signing costs more than all other checks of a request."""

    def __init__(self, signer: IdentitySigner, max_bytes: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._signer = signer
        self._max_bytes = max_bytes
        self._monotonic = monotonic
        self._signed: LRUCache[KeyT, _SignedIdentity] = LRUCache(max_bytes, _get_bytes)

    def get(self, key: KeyT, source: object, build_caller: Callable[[], Caller]) -> str:
        """Return the signed identity for `key`.

        `source` is the object from which `build_caller` builds: a different object is always signed
        again, because its content may have changed.
        """
        now = self._monotonic()
        signed = self._signed.get(key)
        if signed is None or signed.source is not source or now - signed.signed_at >= IDENTITY_REUSE_SECONDS:
            signed = _SignedIdentity(now, source, self._signer.sign(build_caller()))
            if _get_bytes(signed) <= self._max_bytes:
                self._signed[key] = signed
        return signed.token
