"""The events after which waiting conversations may be assigned, or places in the queue change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from parley.chat.assignment.assigner import Assigner
from parley.chat.assignment.ports import WaitRepository
from parley.chat.assignment.queue_places import QueuePlaces
from parley.common.events import Event
from parley.common.events.conversations import ConversationAccepted
from parley.common.events.team import OperatorAccessChanged

EventHandler = Callable[[Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class AssignmentHandlers:
    """Each handler looks at what is stored now, so events that arrive late or twice do no harm."""

    assigner: Assigner
    places: QueuePlaces
    waits: WaitRepository

    def by_type(self) -> Mapping[str, EventHandler]:
        return {
            "conversation.pending": self.on_queue_changed,
            "conversation.accepted": self.on_accepted,
            "conversation.released": self.on_queue_changed,
            "conversation.transferred": self.on_queue_changed,
            "conversation.closed": self.on_queue_changed,
            "conversation.joined": self.on_queue_changed,
            "operator.online": self.on_site_changed,
            "operator.access_changed": self.on_access_changed,
            "site.changed": self.on_site_changed,
            "team.changed": self.on_tenant_changed,
        }

    async def on_queue_changed(self, event: Event) -> None:
        """Somebody waits, does not wait any more, or an operator has room again."""
        await self.assigner.assign_waiting(event.tenant_id, event.site_id)
        await self.places.announce(event.tenant_id, event.site_id)

    async def on_accepted(self, event: Event) -> None:
        waited = event.parse_data(ConversationAccepted).waited_seconds
        if waited is None:
            return
        await self.waits.add(event.id, event.site_id, event.occurred_at, waited)
        await self.places.announce(event.tenant_id, event.site_id)

    async def on_site_changed(self, event: Event) -> None:
        await self.assigner.assign_waiting(event.tenant_id, event.site_id)

    async def on_access_changed(self, event: Event) -> None:
        if event.parse_data(OperatorAccessChanged).session_id is None:  # Otherwise only a login session ended.
            await self.assigner.assign_waiting_of_tenant(event.tenant_id)

    async def on_tenant_changed(self, event: Event) -> None:
        await self.assigner.assign_waiting_of_tenant(event.tenant_id)
