"""A site's operators, asked of chat and kept for a minute; forgotten the moment a team changes."""

from __future__ import annotations

import time
from collections import OrderedDict

from parley.common.amqp import Ask
from parley.common.events import Event
from parley.common.identity import Permission
from parley.notify.domain.team import Member

_KEEP_SECONDS = 60.0
_MOST = 10_000
_CHANGES = frozenset({"operator.access_changed", "site.changed"})


class ChatTeam:
    """A Team."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: OrderedDict[int, tuple[float, dict[int, Member]]] = OrderedDict()
        self._changes = 0

    def heed(self, event: Event, _position: int) -> None:
        """Forget everything when an operator's access or a site changes: rare, and it names no sites."""
        if event.type in _CHANGES:
            self._known.clear()
            self._changes += 1

    async def of(self, site_id: int) -> dict[int, Member]:
        known = self._known.get(site_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        changes = self._changes
        found = await self._ask("site_operators", site_id=site_id)
        team = {
            row["operator_id"]: Member(row["operator_id"], row["language"])
            for row in (found or {}).get("operators", [])
            if Permission.CHAT in row["permissions"]
        }
        # An answer that was on its way while something changed may be older than the change.
        if changes == self._changes:
            self._known[site_id] = (time.monotonic() + _KEEP_SECONDS, team)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return team
