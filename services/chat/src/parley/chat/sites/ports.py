"""What sites need from storage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from parley.chat.accounts.ports import SiteLookup
from parley.chat.audit.model import AuditedEvent
from parley.chat.sites.chatbot import AiError
from parley.chat.sites.engine_check import EngineCheck
from parley.chat.sites.model import Site
from parley.chat.sites.site_settings import SiteSettings


class ChangeCheck(Protocol):
    async def __call__(self, before: Site, after: Site) -> None:
        """Raise an error of the API if a change of the AI's settings may not go live."""


class SiteRepository(SiteLookup, Protocol):
    """Stored sites. All methods but `list_all` ignore deleted sites."""

    async def get(self, tenant_id: int, site_id: int) -> Site:
        """Raises SiteNotFound."""

    async def find(self, site_id: int) -> Site | None:
        """Find a site of any tenant. Only for RPC methods."""

    async def find_by_key(self, site_key: str) -> Site | None: ...

    async def any_lists_domain(self, domains: Sequence[str]) -> bool:
        """Whether a site lists one of these domains, or allows every origin."""

    async def list_page(self, tenant_id: int, site_ids: Sequence[int] | None, after: int, limit: int) -> list[Site]:
        """List sites of a tenant with an id above `after`, by id: all, or those of `site_ids`."""

    async def list_all(self) -> Sequence[Site]:
        """List the sites of all tenants, also deleted ones."""

    async def add(self, site: Site, audited: AuditedEvent) -> None: ...

    async def save(self, before: Site, after: Site, audited: AuditedEvent) -> None:
        """Replace `before` by `after`. Raises EditConflict if the stored version is not that of `before`.

        Other AI settings discard the last error of the AI.
        """

    async def record_identity_secret_use(self, site_id: int, secret_id: int, at: datetime) -> None:
        """Store when an identity secret was used last; no effect if it was revoked."""

    async def record_ai_call(self, site: SiteSettings, error: AiError | None) -> None:
        """Store how the last call of the site's AI ended, unless its AI settings have changed since."""

    async def claim_ai_check(self, site_id: int, at: datetime, interval_seconds: float) -> bool:
        """Begin a check of a site's AI endpoint; False if another one began less than the interval ago."""

    async def record_ai_check(self, site: SiteSettings, check: EngineCheck) -> None:
        """Store what a check of these settings' first engine has found. It counts as long as the site has them."""
