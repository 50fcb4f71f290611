"""What a site has chosen, as chat tells it."""

from __future__ import annotations

from typing import Any

from parley.common.messaging import Ask
from parley.notify.clients.chat_cache import AskedOfChat
from parley.notify.push.sites import SiteChoice


class ChatSites(AskedOfChat[SiteChoice]):
    """The domain's Sites."""

    def __init__(self, ask: Ask) -> None:
        super().__init__(ask, "site", _choice)


def _choice(found: dict[str, Any] | None) -> SiteChoice:
    # A chat of the version before does not tell of these.
    told = found or {}
    return SiteChoice(private=bool(told.get("private_push")), rings=told.get("routing") != "manual")
