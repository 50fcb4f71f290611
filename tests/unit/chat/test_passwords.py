"""Passwords are hashed with Argon2id, checked in equal time, and a bounded number wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from statistics import median

import pytest

from parley.chat.accounts import passwords as module
from parley.chat.accounts.passwords import Passwords
from parley.common.errors import Unavailable


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


async def test_a_hash_is_argon2id_salted_and_fits_its_password_alone(passwords: Passwords) -> None:
    first, second = await passwords.hash("correct horse"), await passwords.hash("correct horse")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert await passwords.fits(first, "correct horse")
    assert not await passwords.fits(first, "correct horse ")
    assert not await passwords.fits("no hash at all", "correct horse")


async def test_no_password_fits_where_none_was_kept_and_it_takes_as_long_to_say(passwords: Passwords) -> None:
    assert not await passwords.fits(None, "the password of nobody")
    kept = await passwords.hash("correct horse")

    async def seconds(hashed: str | None) -> float:
        started = time.perf_counter()
        await passwords.fits(hashed, "wrong")
        return time.perf_counter() - started

    some = [(await seconds(kept), await seconds(None)) for _ in range(15)]
    known, unknown = median(pair[0] for pair in some), median(pair[1] for pair in some)
    assert 0.5 < known / unknown < 2


async def test_the_loop_goes_on_while_passwords_are_hashed(passwords: Passwords) -> None:
    hashing = asyncio.gather(*(passwords.hash("correct horse") for _ in range(6)))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 50


async def test_beyond_a_bound_nobody_waits(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAITING", 3)
    outcomes = await asyncio.gather(*(passwords.hash("correct horse") for _ in range(9)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Unavailable)]
    assert refused
    assert len(outcomes) - len(refused) >= 3
    assert all(isinstance(outcome, str | Unavailable) for outcome in outcomes)
    assert await passwords.hash("correct horse")
