"""What the gateway listens to: facts that make what it remembers of access and sites untrue."""

from __future__ import annotations

from parley.common.events import Event
from parley.common.events.team import OperatorAccessChanged, SiteChanged
from parley.common.messaging import Listener
from parley.common.messaging.topology import EVENTS
from parley.gateway.auth.operators import Operators
from parley.gateway.auth.visitors import Visitors

KEYS = (f"*.*.{OperatorAccessChanged.type}", f"*.*.{SiteChanged.type}")


def drops(operators: Operators, visitors: Visitors) -> Listener:
    """A listener that drops at once what an event names, and everything when something may have been missed."""

    async def take(event: Event) -> None:
        if event.type == OperatorAccessChanged.type:
            operators.drop_operator(event.read(OperatorAccessChanged).operator_id)
        elif event.type == SiteChanged.type:
            visitors.drop_site(event.site_id)
            operators.drop_tenant(event.tenant_id)

    def missed() -> None:
        operators.drop_all()
        visitors.drop_all()

    return Listener("access-changes", EVENTS, KEYS, take, missed)
