"""Argon2PasswordHasher: hashes, constant-time verification, and the limit of waiting callers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from statistics import median
from typing import Any

import pytest
from argon2.low_level import hash_secret

from parley.chat.accounts import argon2_hasher
from parley.chat.accounts.argon2_hasher import Argon2PasswordHasher
from parley.common.errors import Unavailable


@pytest.fixture
async def hasher() -> AsyncIterator[Argon2PasswordHasher]:
    hasher = Argon2PasswordHasher()
    yield hasher
    hasher.close()


async def test_a_hash_is_salted_argon2id_and_matches_only_its_password(hasher: Argon2PasswordHasher) -> None:
    first, second = await hasher.hash("correct horse"), await hasher.hash("correct horse")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert await hasher.verify(first, "correct horse")
    assert not await hasher.verify(first, "correct horse ")
    assert not await hasher.verify("no hash at all", "correct horse")


async def test_verifying_without_a_hash_fails_in_the_same_time(hasher: Argon2PasswordHasher) -> None:
    assert not await hasher.verify(None, "the password of nobody")
    password_hash = await hasher.hash("correct horse")

    async def seconds(candidate: str | None) -> float:
        started = time.perf_counter()
        await hasher.verify(candidate, "wrong")
        return time.perf_counter() - started

    timings = [(await seconds(password_hash), await seconds(None)) for _ in range(15)]
    known, unknown = median(pair[0] for pair in timings), median(pair[1] for pair in timings)
    assert 0.5 < known / unknown < 2


async def test_several_accounts_with_the_same_salt_are_verified_in_the_time_of_one(
    hasher: Argon2PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await hasher.hash("correct horse")
    second, third = await hasher.hash("battery", same_salt_as=first), await hasher.hash("correct horse", first)
    computed = 0

    def count(*arguments: Any) -> bytes:
        nonlocal computed
        computed += 1
        return hash_secret(*arguments)

    monkeypatch.setattr("parley.chat.accounts.argon2_hasher.hash_secret", count)
    assert await hasher.verify_each([first, None, second, third], "correct horse") == [True, False, False, True]
    assert await hasher.verify_each([None, None], "correct horse") == [False, False]
    assert computed == 2, "one for each call"


async def test_hashing_does_not_block_the_event_loop(hasher: Argon2PasswordHasher) -> None:
    hashing = asyncio.gather(*(hasher.hash("correct horse") for _ in range(6)))
    iterations = 0
    while not hashing.done():
        await asyncio.sleep(0)
        iterations += 1
    assert iterations > 50


async def test_hashing_fails_if_too_many_callers_wait(
    hasher: Argon2PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(argon2_hasher, "MAX_WAITING", 3)
    outcomes = await asyncio.gather(*(hasher.hash("correct horse") for _ in range(9)), return_exceptions=True)
    rejected = [outcome for outcome in outcomes if isinstance(outcome, Unavailable)]
    assert rejected
    assert len(outcomes) - len(rejected) >= 3
    assert all(isinstance(outcome, str | Unavailable) for outcome in outcomes)
    assert await hasher.hash("correct horse")
