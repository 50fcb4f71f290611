"""The signed identity header: complete for the largest team, and compact."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from parley.common.auth.identity import MAX_TOKEN_BYTES, IdentitySigner, OperatorCaller, Permission
from parley.common.errors import Unauthenticated

SECRET = "a-secret-that-is-long-enough-for-hs256"
EVERYTHING = frozenset(Permission)


def caller(sites: int, first: int = 1) -> OperatorCaller:
    granted = dict.fromkeys(range(first, first + sites), EVERYTHING)
    return OperatorCaller(5, 7, "Olivia", granted, owner=True, login_session_id="s", client_ip="192.0.2.1")


def test_caller_with_different_permissions_by_site_round_trips() -> None:
    sites = {1: EVERYTHING, 2: frozenset({Permission.CHAT}), 3: EVERYTHING, 4: frozenset[Permission]()}
    original = OperatorCaller(5, 7, "Alex", sites, access_version=3, expires_at=99, language="de")
    signer = IdentitySigner(SECRET)
    assert signer.verify(signer.sign(original)) == original


def test_what_an_api_key_is_and_may_round_trips() -> None:
    scopes = frozenset({Permission.CHAT})
    original = OperatorCaller(5, 7, "Alex", {}, api_key_id=12, api_key_hash="ab" * 32, api_key_scopes=scopes)
    signer = IdentitySigner(SECRET)
    assert signer.verify(signer.sign(original)) == original


def test_verified_caller_has_the_permission_of_each_request() -> None:
    signer = IdentitySigner(SECRET)
    token = signer.sign(OperatorCaller(5, 7, "Alex", {1: frozenset({Permission.CHAT})}))
    for permission in (Permission.CHAT, Permission.MANAGE, None, Permission.CHAT):
        verified = signer.verify(token, permission)
        assert isinstance(verified, OperatorCaller)
        assert verified.site_ids == ([] if permission is Permission.MANAGE else [1])


def test_owner_of_ten_thousand_sites_fits_into_the_header() -> None:
    original = caller(10_000)
    token = IdentitySigner(SECRET).sign(original)
    assert len(token) < MAX_TOKEN_BYTES / 8
    assert IdentitySigner(SECRET).verify(token) == original


def test_cache_of_verified_tokens_is_bounded_in_bytes() -> None:
    signer = IdentitySigner(SECRET)
    tokens = [signer.sign(caller(2_000, first)) for first in range(400)]
    tracemalloc.start()
    try:
        for token in tokens:
            signer.verify(token)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 30_000_000, "about 125 kB each: fewer than the four hundred are cached"


@pytest.mark.parametrize(("offset", "is_accepted"), [(0, True), (25, True), (-80, True), (40, False), (-100, False)])
def test_clocks_of_gateway_and_service_may_differ_by_30_seconds(
    monkeypatch: pytest.MonkeyPatch, offset: float, is_accepted: bool
) -> None:
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now + offset)
        token = IdentitySigner(SECRET).sign(caller(1))
    if is_accepted:
        assert IdentitySigner(SECRET).verify(token) == caller(1)
    else:
        with pytest.raises(Unauthenticated):
            IdentitySigner(SECRET).verify(token)
