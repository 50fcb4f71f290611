"""Chat, asked: whose a conversation is, and what a site has chosen for its translations."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from parley.common.errors import Unavailable
from parley.common.events import Event
from parley.common.messaging import Ask
from parley.common.observability.logging import logger
from parley.translate.conversations.service import Conversation
from parley.translate.engines.chain import SiteOptions

log = logger(__name__)

_KNOWN_SECONDS = 300.0
_UNKNOWN_SECONDS = 15.0
_PATIENCE_SECONDS = 0.5
"""Chat may itself be waiting for a translation: its site's wishes are not worth a late message."""
_REMEMBERED = 10_000


class _Chosen(BaseModel):
    """What a site may say; anything it leaves out is the deployment's."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    engines: tuple[str, ...] | None = Field(None, max_length=10)
    glossary: tuple[str, ...] = Field((), max_length=500)
    daily_characters: int | None = Field(None, ge=0)


class AskedChat:
    """ConversationOwner, by question."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def conversation(self, conversation_id: int) -> Conversation | None:
        found = await self._ask("conversation", conversation_id=conversation_id)
        if found is None:
            return None
        return Conversation(conversation_id, found["tenant_id"], found["site_id"], found["session"])


class AskedSites:
    """Sites, by question; remembered until they change."""

    def __init__(self, ask: Ask, default: SiteOptions) -> None:
        self._ask = ask
        self._default = default
        self._known: OrderedDict[int, tuple[float, SiteOptions]] = OrderedDict()
        self._changes = 0

    async def options(self, site_id: int) -> SiteOptions:
        known = self._known.get(site_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        changes = self._changes
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                found = await self._ask("site", site_id=site_id)
            options, seconds = self._read(found), _KNOWN_SECONDS
        except (Unavailable, TimeoutError):
            options, seconds = known[1] if known is not None else self._default, _UNKNOWN_SECONDS
        if changes != self._changes:
            # An answer that was on its way while something changed may be older than the change.
            return options
        self._known[site_id] = (time.monotonic() + seconds, options)
        self._known.move_to_end(site_id)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return options

    def _read(self, found: dict[str, Any] | None) -> SiteOptions:
        try:
            chosen = _Chosen.model_validate((found or {}).get("translation") or {})
        except ValidationError:
            log.warning("site_options_not_understood")
            return self._default
        default = self._default
        return SiteOptions(
            engines=chosen.engines or default.engines,
            glossary=(*default.glossary, *chosen.glossary),
            # A site may spend less than the deployment allows, never more.
            daily_characters=_lower(chosen.daily_characters, default.daily_characters),
        )

    async def changed(self, event: Event) -> None:
        """A site changed: what was known of it no longer holds."""
        self._known.pop(event.site_id, None)
        self._changes += 1

    def forget(self) -> None:
        """Some changes may have gone unheard."""
        self._known.clear()
        self._changes += 1


def _lower(wanted: int | None, allowed: int) -> int:
    limits = [limit for limit in (wanted, allowed) if limit]
    return min(limits, default=0)
