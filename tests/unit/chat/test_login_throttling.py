"""Delays after failed logins."""

from __future__ import annotations

from datetime import timedelta

from parley.chat.accounts.login_throttling import ACCOUNT_POLICY, BLOCK_DURATION, CLIENT_IP_POLICY


def test_the_delay_doubles_after_some_failures_and_ends_in_a_block() -> None:
    delays = [ACCOUNT_POLICY.delay(failures) for failures in range(1, 12)]
    doubling = [timedelta(seconds=seconds) for seconds in (2, 4, 8, 16, 32)]
    assert delays == [timedelta(0)] * 4 + doubling + [BLOCK_DURATION, BLOCK_DURATION]


def test_a_client_ip_has_higher_limits_than_an_account() -> None:
    assert CLIENT_IP_POLICY.delay(ACCOUNT_POLICY.block_after) == timedelta(0)
    assert CLIENT_IP_POLICY.delay(CLIENT_IP_POLICY.block_after) == BLOCK_DURATION
