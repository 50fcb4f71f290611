"""A site's operators, as chat tells them."""

from __future__ import annotations

from typing import Any

from parley.common.auth.identity import Permission
from parley.common.messaging import Ask
from parley.notify.clients.chat_cache import AskedOfChat
from parley.notify.push.team import Member


class ChatTeam(AskedOfChat[dict[int, Member]]):
    """A Team."""

    def __init__(self, ask: Ask) -> None:
        super().__init__(ask, "site_operators", _members)


def _members(found: dict[str, Any] | None) -> dict[int, Member]:
    return {
        row["operator_id"]: Member(row["operator_id"], row["language"])
        for row in (found or {}).get("operators", [])
        if Permission.CHAT in row["permissions"]
    }
