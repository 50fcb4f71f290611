"""A site's settings as conversations, the AI and the widget read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from parley.chat.forms.model import SiteForms
from parley.chat.identification.model import IdentitySecret
from parley.chat.sites.business_hours import ALWAYS_OPEN, BusinessHours, OpenStatus
from parley.chat.sites.chatbot import AiSettings, FilesSettings
from parley.chat.sites.engine_check import EngineCheck
from parley.chat.sites.routing import SiteRouting
from parley.chat.sites.silence_policy import SilencePolicy
from parley.chat.triggers.model import Trigger
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import NotFound


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """The part of a site that conversations depend on."""

    id: int
    tenant_id: int
    name: str
    language: str
    bot_name: str
    welcome: str
    colours: Mapping[str, str]
    engine: str
    model: str | None
    instructions: str
    operator_timeout: timedelta
    on_timeout: str
    offline_message: str
    hours: BusinessHours | None
    ai: AiSettings
    page_tracking: bool = True
    page_parameters: tuple[str, ...] = ()
    sound: bool = True
    read_receipts: bool = True
    notifies_when_pending: bool = True
    """Whether a waiting visitor causes push notifications."""
    routing: SiteRouting = field(default_factory=SiteRouting)
    files: FilesSettings = field(default_factory=FilesSettings)
    silence_policy: SilencePolicy | None = None
    """None: conversations are not closed by themselves."""
    forms: SiteForms = field(default_factory=SiteForms)
    site_key: str = ""
    identity_secrets: tuple[IdentitySecret, ...] = ()
    """By which the site's server proves who its visitors are."""
    ai_check: EngineCheck | None = None
    """What the last check of the AI endpoint has found, if it was of the present endpoint, key and model."""
    triggers: tuple[Trigger, ...] = ()
    """In their order, also those that are off."""

    def opening(self, at: datetime) -> OpenStatus:
        """Whether the site is within its business hours at `at`."""
        return ALWAYS_OPEN if self.hours is None else self.hours.status_at(at)


class SiteSettingsReader(Protocol):
    """Where services read a site's settings; an implementation may serve them from a cache."""

    async def get(self, tenant_id: int, site_id: int) -> SiteSettings:
        """Raises NotFound."""


async def find_site(sites: SiteSettingsReader, tenant_id: int, site_id: int) -> SiteSettings | None:
    """The settings of a site; None for a deleted one, whose conversations are kept."""
    try:
        return await sites.get(tenant_id, site_id)
    except NotFound:
        return None


async def get_authorized_site(sites: SiteSettingsReader, caller: OperatorCaller, site_id: int) -> SiteSettings:
    """The settings of a site that the caller has access to. Raises NotFound, Forbidden."""
    site = await sites.get(caller.tenant_id, site_id)
    caller.authorize(site.tenant_id, site.id)
    return site
