"""Invalidates the gateway's caches of access, sites and sessions when chat publishes a change."""

from __future__ import annotations

from parley.common.events import Event
from parley.common.events.team import OperatorAccessChanged, SiteChanged, VisitorSessionEnded
from parley.common.messaging import BroadcastSubscriber
from parley.common.messaging.topology import EVENTS_EXCHANGE
from parley.gateway.auth.operators import OperatorAuthenticator
from parley.gateway.auth.visitors import VisitorAuthenticator

ROUTING_KEYS = tuple(f"*.*.{event.type}" for event in (OperatorAccessChanged, SiteChanged, VisitorSessionEnded))


def build_invalidation_subscriber(
    operators: OperatorAuthenticator, visitors: VisitorAuthenticator
) -> BroadcastSubscriber:
    """Build the subscriber. It clears the caches when events may have been missed."""

    async def on_event(event: Event) -> None:
        if event.type == OperatorAccessChanged.type:
            operators.invalidate_operator(event.parse_data(OperatorAccessChanged).operator_id)
        elif event.type == VisitorSessionEnded.type:
            visitors.invalidate_session(event.site_id, event.parse_data(VisitorSessionEnded).fingerprint)
        elif event.type == SiteChanged.type:
            visitors.invalidate_site(event.site_id)
            operators.invalidate_tenant(event.tenant_id)

    def on_gap() -> None:
        operators.clear()
        visitors.clear()

    return BroadcastSubscriber("access-changes", EVENTS_EXCHANGE, ROUTING_KEYS, on_event, on_gap)
