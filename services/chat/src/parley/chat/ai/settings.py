"""What a site changes about its AI: where it is, its key, and how it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from parley.chat.sites.chatbot import AiChoice
from parley.common.errors import Invalid

Seal = Callable[[int, str], str]
"""Encrypts a key for a site: `(site_id, key)`."""


class RefuseAddress(Protocol):
    """Holds addresses that sites name to what may be called from here."""

    async def __call__(self, base_url: str) -> str | None:
        """Why it may not be called, as far as that can be told now; None where it may."""


@dataclass(frozen=True, slots=True)
class AiChoices:
    seal: Seal
    refuse_address: RefuseAddress

    async def changed(self, site_id: int, before: AiChoice, fields: Mapping[str, Any]) -> AiChoice:
        """The choice with some of its fields changed, and a new `api_key` sealed. Raises Invalid.

        A key belongs to the address it was given for: where that changes, the key is asked for again. Else whoever
        may change the address, but was never told the key, could have it sent to a server of their own.
        """
        plain = {name: value for name, value in fields.items() if name != "api_key"}
        after = replace(before, **plain)
        if after.base_url is not None and after.base_url != before.base_url:
            why = await self.refuse_address(after.base_url)
            if why is not None:
                raise Invalid({"ai.base_url": why})
        if "api_key" in fields:
            key = fields["api_key"]
            return replace(after, sealed_key=self.seal(site_id, key) if key else None)
        return after if after.base_url == before.base_url else replace(after, sealed_key=None)
