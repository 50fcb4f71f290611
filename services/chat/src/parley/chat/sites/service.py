"""Creates, shows and changes sites, for owners and managers."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from parley.chat.accounts.access import require_permission
from parley.chat.accounts.model import ALL_PERMISSIONS
from parley.chat.ai.site_ai_settings import AiSettingsService
from parley.chat.audit.model import AuditedEvent
from parley.chat.audit.service import AuditService
from parley.chat.forms.model import SiteForms
from parley.chat.identification.model import IdentitySecret
from parley.chat.ids import NextId
from parley.chat.site_texts.model import SiteTexts
from parley.chat.sites.model import Site, SiteDraft
from parley.chat.sites.ports import ChangeCheck, SiteRepository
from parley.chat.sites.routing import SiteRouting
from parley.chat.triggers.model import Trigger
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.events import new_event
from parley.common.events.team import SiteChanged
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class SiteService:
    sites: SiteRepository
    audit: AuditService
    ai_settings: AiSettingsService
    next_id: NextId
    clock: Clock
    invalidate_cache: Callable[[int, int], None]
    """Called with the tenant id and the id of every changed site: this process may use the site before its event."""
    check_change: ChangeCheck

    async def list_page(self, caller: OperatorCaller, after: int, limit: int) -> list[Site]:
        """List the caller's sites with an id above `after`, by id; one more than `limit` if there are more."""
        site_ids = None if caller.owner else caller.site_ids
        return await self.sites.list_page(caller.tenant_id, site_ids, after, limit + 1)

    async def list_all(self) -> Sequence[Site]:
        """List the sites of all tenants, also deleted ones. Only for administrators of the installation."""
        return await self.sites.list_all()

    async def get(self, caller: OperatorCaller, site_id: int) -> Site:
        """Return a site on which the caller has the permission that the route requires.

        Raises SiteNotFound, Forbidden.
        """
        site = await self.sites.get(caller.tenant_id, site_id)
        require_permission(caller, site.tenant_id, site.id)
        return site

    async def get_permissions(self, caller: OperatorCaller, site_id: int) -> frozenset[Permission]:
        """Return the caller's permissions on a site. Raises SiteNotFound, Forbidden."""
        await self.get(caller, site_id)
        return ALL_PERMISSIONS if caller.owner else caller.sites[site_id]

    async def create(self, caller: OperatorCaller, draft: SiteDraft) -> Site:
        """Create a site of the caller's tenant."""
        site = Site(
            id=await self.next_id(),
            tenant_id=caller.tenant_id,
            name=draft.name,
            site_key=_new_site_key(),
            created_at=self.clock(),
            domains=draft.domains,
            any_origin=draft.any_origin,
            language=draft.language,
            page_tracking=draft.page_tracking,
            page_parameters=draft.page_parameters,
            sound=draft.sound,
            read_receipts=draft.read_receipts,
            transcript_email=draft.transcript_email,
        )
        await self.sites.add(site, await self.site_changed_event(caller, site, "site.created", {"name": site.name}))
        return site

    async def update(self, caller: OperatorCaller, site_id: int, fields: Mapping[str, Any]) -> Site:
        """Change some of the fields of a draft. Raises SiteNotFound, Forbidden, EditConflict."""
        before = await self.get(caller, site_id)
        return await self._save(caller, before, replace(before, **fields), "site.updated", fields)

    async def update_chatbot(self, caller: OperatorCaller, site_id: int, fields: Mapping[str, Any]) -> Site:
        """Change some settings of the assistant. `colours` and `ai` may be partial; other fields are replaced.

        Raises SiteNotFound, Forbidden, ValidationFailed, AnswerTestsRequired, EditConflict.
        """
        before = await self.get(caller, site_id)
        bot = before.chatbot
        colours = replace(bot.colours, **fields.get("colours", {}))
        ai = await self.ai_settings.apply(site_id, bot.ai, fields["ai"]) if "ai" in fields else bot.ai
        fallbacks = bot.fallbacks
        if "fallbacks" in fields:
            fallbacks = await self.ai_settings.apply_fallbacks(site_id, fallbacks, fields["fallbacks"])
        changed = {**fields, "colours": colours, "ai": ai, "fallbacks": fallbacks}
        after = replace(before, chatbot=replace(bot, **changed))
        await self.check_change(before, after)
        if after.chatbot.ai_selection != bot.ai_selection:
            after = replace(after, last_ai_error=None)
        return await self._save(caller, before, after, "chatbot.updated", {"fields": sorted(fields)})

    async def update_routing(self, caller: OperatorCaller, site_id: int, routing: SiteRouting) -> Site:
        """Replace how waiting conversations are given to operators. Raises SiteNotFound, Forbidden, EditConflict."""
        before = await self.get(caller, site_id)
        details = {"routing": routing.mode, "capacity": routing.capacity, "team": routing.team_id}
        return await self._save(caller, before, replace(before, routing=routing), "site.routing_changed", details)

    async def update_forms(
        self, caller: OperatorCaller, site_id: int, change: Callable[[SiteForms], SiteForms]
    ) -> Site:
        """Change the forms. Raises SiteNotFound, Forbidden, EditConflict."""
        before = await self.get(caller, site_id)
        forms = change(before.forms)
        details = {
            "prechat": forms.prechat.enabled,
            "offline": forms.offline.enabled,
            "consent_version": forms.consent and forms.consent.version,
        }
        return await self._save(caller, before, replace(before, forms=forms), "site.forms_changed", details)

    async def update_identity_secrets(
        self,
        caller: OperatorCaller,
        site_id: int,
        change: Callable[[tuple[IdentitySecret, ...]], tuple[IdentitySecret, ...]],
        action: str,
        details: Mapping[str, Any],
    ) -> Site:
        """Replace the identity secrets. Raises SiteNotFound, Forbidden, EditConflict, and what `change` raises."""
        before = await self.get(caller, site_id)
        after = replace(before, identity_secrets=change(before.identity_secrets))
        return await self._save(caller, before, after, action, details)

    async def update_triggers(
        self,
        caller: OperatorCaller,
        site_id: int,
        change: Callable[[tuple[Trigger, ...]], tuple[Trigger, ...]],
        action: str,
        details: Mapping[str, Any],
    ) -> Site:
        """Replace the triggers. Raises SiteNotFound, Forbidden, EditConflict, and what `change` raises."""
        before = await self.get(caller, site_id)
        return await self._save(caller, before, replace(before, triggers=change(before.triggers)), action, details)

    async def update_texts(
        self,
        caller: OperatorCaller,
        site_id: int,
        change: Callable[[SiteTexts], SiteTexts],
        action: str,
        details: Mapping[str, Any],
    ) -> Site:
        """Replace translations of the site's own texts. Raises SiteNotFound, Forbidden, EditConflict, and what
        `change` raises.
        """
        before = await self.get(caller, site_id)
        return await self._save(caller, before, replace(before, texts=change(before.texts)), action, details)

    async def rotate_key(self, caller: OperatorCaller, site_id: int) -> Site:
        """Replace the public key, which stops widgets with the old one.

        Raises SiteNotFound, Forbidden, EditConflict.
        """
        before = await self.get(caller, site_id)
        return await self._save(caller, before, replace(before, site_key=_new_site_key()), "site.key_rotated", {})

    async def delete(self, caller: OperatorCaller, site_id: int) -> None:
        """Mark a site as deleted. Its conversations are kept; its canned replies are deleted soon after.

        Raises SiteNotFound, Forbidden, EditConflict.
        """
        before = await self.get(caller, site_id)
        await self._save(caller, before, replace(before, deleted=True), "site.deleted", {"name": before.name})

    async def site_changed_event(
        self,
        caller: OperatorCaller,
        site: Site,
        action: str,
        details: Mapping[str, Any],
        revoked_secret_id: int | None = None,
    ) -> AuditedEvent:
        """Build `site.changed` and the audit entry of the change."""
        entry = await self.audit.entry(caller, action, f"site:{site.id}", site.id, details)
        data = SiteChanged(deleted=site.deleted, revoked_identity_secret_id=revoked_secret_id)
        event = new_event(data, tenant_id=site.tenant_id, site_id=site.id, actor=entry.event_actor, at=entry.at)
        return AuditedEvent(event, entry)

    async def _save(
        self, caller: OperatorCaller, before: Site, changed: Site, action: str, details: Mapping[str, Any]
    ) -> Site:
        after = replace(changed, version=before.version + 1)
        remaining = {secret.id for secret in after.identity_secrets}
        revoked = next((secret.id for secret in before.identity_secrets if secret.id not in remaining), None)
        event = await self.site_changed_event(caller, after, action, details, revoked)
        await self.sites.save(before, after, event)
        self.invalidate_cache(after.tenant_id, after.id)
        return after


def _new_site_key() -> str:
    return f"pk_{secrets.token_hex(12)}"
