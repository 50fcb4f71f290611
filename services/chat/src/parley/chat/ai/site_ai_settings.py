"""Changes of a site's AI settings: its own endpoint and key, and how it replies."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from parley.chat.sites.chatbot import AiSettings, FallbackEngine
from parley.common.errors import ValidationFailed

BUILTIN = "builtin"
"""The name of the engine that never fails."""

EncryptKey = Callable[[int, str], str]
"""Encrypts a key for a site: `(site_id, key)`."""


class EndpointValidator(Protocol):
    """Decides which endpoints sites may use."""

    async def __call__(self, base_url: str) -> str | None:
        """Why an endpoint may not be used; None if it may, or if that is only known when it is called."""


@dataclass(frozen=True, slots=True)
class AiSettingsService:
    encrypt_key: EncryptKey
    validate_endpoint: EndpointValidator

    async def apply(self, site_id: int, before: AiSettings, fields: Mapping[str, Any]) -> AiSettings:
        """The settings with some fields changed, and a new `api_key` encrypted. Raises ValidationFailed.

        A key belongs to the endpoint it was set for: a new endpoint without a new key clears the key. Otherwise a
        manager who does not know the key could have it sent to a server of their own.
        """
        after = self.change(site_id, before, fields)
        if after.base_url is not None and after.base_url != before.base_url:
            rejection = await self.validate_endpoint(after.base_url)
            if rejection is not None:
                raise ValidationFailed({"ai.base_url": rejection})
        return after

    def change(self, site_id: int, before: AiSettings, fields: Mapping[str, Any]) -> AiSettings:
        """The same without a look at the endpoint, for settings that are only tried."""
        after = replace(before, **{name: value for name, value in fields.items() if name != "api_key"})
        if "api_key" in fields:
            key = fields["api_key"]
            return replace(after, encrypted_key=self.encrypt_key(site_id, key) if key else None)
        return after if after.base_url == before.base_url else replace(after, encrypted_key=None)

    async def apply_fallbacks(
        self, site_id: int, before: Sequence[FallbackEngine], items: Sequence[Mapping[str, Any]]
    ) -> tuple[FallbackEngine, ...]:
        """The fallbacks as they are given, each with its `api_key` encrypted or kept. Raises ValidationFailed."""
        stored = {one.id: one for one in before}
        after: list[FallbackEngine] = []
        for position, item in enumerate(items):
            old = stored.pop(item.get("id") or "", None)
            fallback = self._apply_fallback(site_id, old, item)
            if fallback.engine == BUILTIN and position < len(items) - 1:
                raise ValidationFailed({f"fallbacks.{position}.engine": "must be the last one: it never fails"})
            if fallback.base_url is not None and (old is None or old.base_url != fallback.base_url):
                rejection = await self.validate_endpoint(fallback.base_url)
                if rejection is not None:
                    raise ValidationFailed({f"fallbacks.{position}.base_url": rejection})
            after.append(fallback)
        return tuple(after)

    def _apply_fallback(self, site_id: int, old: FallbackEngine | None, item: Mapping[str, Any]) -> FallbackEngine:
        """Only the endpoint that a key was set for gets it."""
        base_url, key = item.get("base_url") or None, item.get("api_key")
        encrypted = self.encrypt_key(site_id, key) if key else None
        if key is None and old is not None and old.base_url == base_url:
            encrypted = old.encrypted_key
        engine_id = old.id if old is not None else secrets.token_hex(4)
        return FallbackEngine(
            engine_id,
            item["engine"],
            item.get("model") or None,
            base_url,
            encrypted,
            item.get("input_price"),
            item.get("output_price"),
        )
