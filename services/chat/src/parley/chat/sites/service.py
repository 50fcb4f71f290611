"""Sites: whose visitors are talked to, from which domains, and with which assistant."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from parley.chat.accounts.access import EVERYTHING, TenantSites, allow
from parley.chat.accounts.service import NextId
from parley.chat.ai.settings import AiChoices
from parley.chat.audit.service import Audit, Told
from parley.chat.conversations.ports import SiteSettings
from parley.chat.sites.chatbot import Chatbot
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.errors import NotFound
from parley.common.events import Actor, new_event
from parley.common.events.team import SiteChanged
from parley.common.runtime.clock import Clock


class SiteNotFound(NotFound):
    code = "not_found"


@dataclass(frozen=True, slots=True)
class Site:
    """One website. `domains` are host names, or `*.` and a parent for all below it; they take in every port."""

    id: int
    tenant_id: int
    name: str
    site_key: str
    created_at: datetime
    domains: tuple[str, ...] = ()
    any_origin: bool = False
    language: str = "en"
    chatbot: Chatbot = field(default_factory=Chatbot)
    deleted: bool = False
    version: int = 1

    @property
    def settings(self) -> SiteSettings:
        """What conversations need to know of the site."""
        bot = self.chatbot
        return SiteSettings(
            id=self.id,
            tenant_id=self.tenant_id,
            name=self.name,
            language=self.language,
            bot_name=bot.name,
            welcome=bot.welcome,
            colours={"primary": bot.colours.primary, "background": bot.colours.background},
            engine=bot.engine,
            model=bot.model,
            instructions=bot.instructions,
            operator_timeout=timedelta(seconds=bot.operator_timeout),
            on_timeout=bot.on_timeout,
            offline_message=bot.offline_message,
            hours=bot.hours,
            ai=bot.ai,
        )


class SiteStore(TenantSites, Protocol):
    """Where sites are kept. Deleted ones are not there any more."""

    async def get(self, tenant_id: int, site_id: int) -> Site:
        """Raises SiteNotFound."""

    async def find(self, site_id: int) -> Site | None:
        """Any tenant's: for other services' questions."""

    async def by_key(self, site_key: str) -> Site | None:
        """The site with a public key."""

    async def lists_any(self, domains: Sequence[str]) -> bool:
        """Whether some site lists one of these domains, or takes every origin."""

    async def page(self, tenant_id: int, among: Sequence[int] | None, after: int, limit: int) -> list[Site]:
        """A tenant's sites by id, all or those among some."""

    async def add(self, site: Site, told: Told) -> None: ...

    async def save(self, before: Site, after: Site, told: Told) -> None:
        """Write a change of what was read as `before`. Raises ChangedMeanwhile."""


@dataclass(frozen=True, slots=True)
class SiteDraft:
    """What an owner says of a new site."""

    name: str
    domains: tuple[str, ...]
    any_origin: bool
    language: str


@dataclass(frozen=True, slots=True)
class Sites:
    """Makes, shows and changes sites, for the people who own or manage them."""

    store: SiteStore
    audit: Audit
    ai: AiChoices
    next_id: NextId
    clock: Clock
    changed: Callable[[int], None]
    """Told the id of every site that was changed, for whoever remembers it."""

    async def page(self, caller: OperatorCaller, after: int, limit: int) -> list[Site]:
        """The caller's sites by id, from behind one on; one more than `limit` where there are more."""
        among = None if caller.owner else caller.site_ids
        return await self.store.page(caller.tenant_id, among, after, limit + 1)

    async def get(self, caller: OperatorCaller, site_id: int) -> Site:
        """A site on which the caller has the route's permission. Raises SiteNotFound, Forbidden."""
        site = await self.store.get(caller.tenant_id, site_id)
        allow(caller, site.tenant_id, site.id)
        return site

    async def permissions(self, caller: OperatorCaller, site_id: int) -> frozenset[Permission]:
        """What the caller may do on a site. Raises SiteNotFound, Forbidden."""
        await self.get(caller, site_id)
        return EVERYTHING if caller.owner else caller.sites[site_id]

    async def create(self, caller: OperatorCaller, draft: SiteDraft) -> Site:
        """A new site of the caller's tenant."""
        site = Site(
            id=await self.next_id(),
            tenant_id=caller.tenant_id,
            name=draft.name,
            site_key=_new_key(),
            created_at=self.clock(),
            domains=draft.domains,
            any_origin=draft.any_origin,
            language=draft.language,
        )
        await self.store.add(site, await self._told(caller, site, "site.created", {"name": site.name}))
        return site

    async def update(self, caller: OperatorCaller, site_id: int, fields: Mapping[str, Any]) -> Site:
        """Change some of name, domains, any_origin and language. Raises SiteNotFound, Forbidden."""
        before = await self.get(caller, site_id)
        return await self._save(caller, before, replace(before, **fields), "site.updated", fields)

    async def configure(self, caller: OperatorCaller, site_id: int, fields: Mapping[str, Any]) -> Site:
        """Change some of the assistant's settings. Of `colours` and `ai`, what is left out stays as it is.

        Raises SiteNotFound, Forbidden, Invalid.
        """
        before = await self.get(caller, site_id)
        bot = before.chatbot
        colours = replace(bot.colours, **fields.get("colours", {}))
        ai = await self.ai.changed(site_id, bot.ai, fields["ai"]) if "ai" in fields else bot.ai
        after = replace(before, chatbot=replace(bot, **{**fields, "colours": colours, "ai": ai}))
        return await self._save(caller, before, after, "chatbot.updated", {"fields": sorted(fields)})

    async def rotate_key(self, caller: OperatorCaller, site_id: int) -> Site:
        """A new public key; widgets with the old one stop working. Raises SiteNotFound, Forbidden."""
        before = await self.get(caller, site_id)
        return await self._save(caller, before, replace(before, site_key=_new_key()), "site.key_rotated", {})

    async def delete(self, caller: OperatorCaller, site_id: int) -> None:
        """Take a site away; what was said on it is kept. Raises SiteNotFound."""
        before = await self.get(caller, site_id)
        await self._save(caller, before, replace(before, deleted=True), "site.deleted", {"name": before.name})

    async def _save(
        self, caller: OperatorCaller, before: Site, changed: Site, action: str, details: Mapping[str, Any]
    ) -> Site:
        after = replace(changed, version=before.version + 1)
        await self.store.save(before, after, await self._told(caller, after, action, details))
        self.changed(after.id)
        return after

    async def _told(self, caller: OperatorCaller, site: Site, action: str, details: Mapping[str, Any]) -> Told:
        entry = await self.audit.entry(caller, action, f"site:{site.id}", site.id, details)
        actor = Actor(kind="operator", id=caller.operator_id, name=caller.name)
        data = SiteChanged(deleted=site.deleted)
        event = new_event(data, tenant_id=site.tenant_id, site_id=site.id, actor=actor, at=entry.at)
        return Told(event, entry)


@dataclass(frozen=True, slots=True)
class SiteDirectory:
    """Sites as the rest of the service and the other services look them up."""

    store: SiteStore

    async def get(self, tenant_id: int, site_id: int) -> SiteSettings:
        """A site's settings. Raises SiteNotFound."""
        return (await self.store.get(tenant_id, site_id)).settings

    async def by_key(self, site_key: str) -> Site:
        """The site with a public key. Raises SiteNotFound."""
        site = await self.store.by_key(site_key)
        if site is None:
            raise SiteNotFound
        return site

    async def knows_origin(self, origin: str) -> bool:
        """Whether some site takes calls from an origin, as browsers write it."""
        return await self.store.lists_any(domains_of(origin))

    async def answer_site(self, question: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer to the other services' question `site`; None where there is none."""
        site = await self.store.find(int(question["site_id"]))
        return None if site is None else _told_of(site)


def domains_of(origin: str) -> list[str]:
    """The entries of a site's `domains` that take in an origin: its host, and `*.` with each parent of that."""
    try:
        parts = urlsplit(origin)
        host = parts.hostname or ""
    except ValueError:
        return []
    if not host or parts.scheme not in ("http", "https"):
        return []
    labels = host.split(".")
    return [host, *("*." + ".".join(labels[first:]) for first in range(1, len(labels)))]


def _told_of(site: Site) -> dict[str, Any]:
    """What the other services need of a site, and no more: nothing of its AI leaves chat."""
    bot = site.chatbot
    found = {"tenant_id": site.tenant_id, "name": site.name, "routing": bot.routing, "private_push": bot.private_push}
    chosen = {name: value for name, value in asdict(bot.translation).items() if value}
    return {**found, "translation": chosen} if chosen else found


def _new_key() -> str:
    return f"pk_{secrets.token_hex(12)}"
