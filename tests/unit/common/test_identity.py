"""The signed header that names a caller: whole for the largest team, and small for it."""

from __future__ import annotations

import tracemalloc

from parley.common.auth.identity import MAX_TOKEN_BYTES, IdentitySigner, OperatorCaller, Permission

SECRET = "a-secret-that-is-long-enough-for-hs256"
EVERYTHING = frozenset(Permission)


def caller(sites: int, first: int = 1) -> OperatorCaller:
    granted = dict.fromkeys(range(first, first + sites), EVERYTHING)
    return OperatorCaller(5, 7, "Olivia", granted, owner=True, session_id="s", client_ip="192.0.2.1")


def test_who_may_do_different_things_on_different_sites_is_read_back_whole() -> None:
    sites = {1: EVERYTHING, 2: frozenset({Permission.CHAT}), 3: EVERYTHING, 4: frozenset[Permission]()}
    asking = OperatorCaller(5, 7, "Alex", sites, access_version=3, expires_at=99, language="de")
    signer = IdentitySigner(SECRET)
    assert signer.verify(signer.sign(asking)) == asking


def test_an_owner_of_ten_thousand_sites_fits_into_the_header() -> None:
    asking = caller(10_000)
    token = IdentitySigner(SECRET).sign(asking)
    assert len(token) < MAX_TOKEN_BYTES / 8
    assert IdentitySigner(SECRET).verify(token) == asking


def test_what_is_remembered_of_large_callers_is_bounded() -> None:
    signer = IdentitySigner(SECRET)
    tokens = [signer.sign(caller(2_000, first)) for first in range(400)]
    tracemalloc.start()
    try:
        for token in tokens:
            signer.verify(token)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 30_000_000, "some 125 kB each: of four hundred, not all"
