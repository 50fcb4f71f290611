"""The queue of ended logins."""

from __future__ import annotations

from parley.common.events import Event
from parley.common.events.team import OperatorAccessChanged
from parley.common.messaging import Consumer
from parley.notify.push.devices import OperatorDevices


def access_consumer(devices: OperatorDevices) -> Consumer:
    """Delete the push tokens of logins that ended."""

    async def on_access_changed(event: Event) -> None:
        await devices.on_access_changed(event.parse_data(OperatorAccessChanged))

    return Consumer("notify", "access", {"operator.access_changed": on_access_changed})
