"""How long wrong passwords make the next try wait."""

from __future__ import annotations

from datetime import timedelta

from parley.chat.accounts.login_throttling import BLOCK, FOR_ACCOUNT, FOR_ADDRESS


def test_the_first_failures_cost_nothing_then_each_costs_twice_the_last_then_logging_in_is_blocked() -> None:
    pauses = [FOR_ACCOUNT.pause(failures) for failures in range(1, 12)]
    slow = [timedelta(seconds=seconds) for seconds in (2, 4, 8, 16, 32)]
    assert pauses == [timedelta(0)] * 4 + slow + [BLOCK, BLOCK]


def test_an_address_has_more_patience_than_an_account() -> None:
    assert FOR_ADDRESS.pause(FOR_ACCOUNT.block) == timedelta(0)
    assert FOR_ADDRESS.pause(FOR_ADDRESS.block) == BLOCK
