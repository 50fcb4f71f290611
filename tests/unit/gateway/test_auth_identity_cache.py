"""Signed identities are reused; the memory that they take is bounded in bytes."""

from __future__ import annotations

import secrets

from parley.common.auth.identity import IdentitySigner, VisitorCaller
from parley.gateway.auth.identity_cache import IdentityCache

SOURCE = object()


def identity(cache: IdentityCache[str], key: str, origin: str) -> str:
    return cache.get(key, SOURCE, lambda: VisitorCaller(1, 2, "sess_x", "203.0.113.1", origin))


def test_signature_is_reused() -> None:
    cache: IdentityCache[str] = IdentityCache(IdentitySigner(secrets.token_hex(32)), 2**20)
    assert identity(cache, "a", "https://a.example") is identity(cache, "a", "https://a.example")


def test_identities_are_dropped_by_their_bytes() -> None:
    cache: IdentityCache[str] = IdentityCache(IdentitySigner(secrets.token_hex(32)), 100_000)
    first = identity(cache, "first", "o" * 10_000)
    assert identity(cache, "first", "o" * 10_000) is first
    for number in range(10):
        identity(cache, str(number), "o" * 10_000)
    assert identity(cache, "first", "o" * 10_000) is not first


def test_identity_larger_than_the_cache_is_signed_each_time() -> None:
    cache: IdentityCache[str] = IdentityCache(IdentitySigner(secrets.token_hex(32)), 10_000)
    assert identity(cache, "a", "o" * 20_000) is not identity(cache, "a", "o" * 20_000)
