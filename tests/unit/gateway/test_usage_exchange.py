"""Gateways tell each other what was taken from rate limits, without harm to what they consume."""

from __future__ import annotations

from parley.common.messaging.broker import PublishingSession
from parley.gateway.usage_exchange import UsageExchange


def test_it_publishes_on_the_connection_for_publishing() -> None:
    """A broker that is short of memory blocks the connections that publish; invalidations of caches go on."""
    exchange = UsageExchange("group", lambda _usage: None, lambda _session: None)
    assert isinstance(exchange, PublishingSession)
    assert exchange.publishes
