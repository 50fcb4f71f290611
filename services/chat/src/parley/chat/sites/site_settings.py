"""A site's settings as conversations, the AI and the widget read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from parley.chat.forms.model import SiteForms
from parley.chat.identification.model import IdentitySecret
from parley.chat.site_texts.model import SiteTexts
from parley.chat.sites.business_hours import ALWAYS_OPEN, BusinessHours, OpenStatus
from parley.chat.sites.chatbot import AiCaps, AiPrices, AiSettings, FallbackEngine, FilesSettings
from parley.chat.sites.engine_check import PRIMARY_ENGINE, EngineCheck
from parley.chat.sites.engine_state import EngineState
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
    transcript_email: bool = True
    """Whether a conversation can be sent by e-mail, where the installation sends mail."""
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
    triggers: tuple[Trigger, ...] = ()
    """In their order, also those that are off."""
    fallbacks: tuple[FallbackEngine, ...] = ()
    """The engines after the first one."""
    caps: AiCaps = field(default_factory=AiCaps)
    prices: AiPrices = field(default_factory=AiPrices)
    engine_id: str = PRIMARY_ENGINE
    engine_checks: Mapping[str, EngineCheck] = field(default_factory=dict)
    """What the last check of each engine has found, if it was of its present endpoint, key and model."""
    engine_states: Mapping[str, EngineState] = field(default_factory=dict)
    """How engines have failed lately."""

    @property
    def ai_check(self) -> EngineCheck | None:
        return self.engine_checks.get(self.engine_id)

    @property
    def sees_images(self) -> bool:
        """Whether the engine gets visitors' images: the site wants it, and the check has found that it sees them."""
        return bool(self.ai.images and self.ai_check is not None and self.ai_check.supports("images"))

    @property
    def engine_state(self) -> EngineState | None:
        return self.engine_states.get(self.engine_id)

    def list_engines(self) -> Sequence[SiteSettings]:
        """These settings for each of the site's engines in their order, with it as the first one."""
        return [self, *(self.with_engine(fallback) for fallback in self.fallbacks)]

    def with_engine(self, fallback: FallbackEngine) -> SiteSettings:
        """These settings with another engine as the first one."""
        ai = replace(self.ai, base_url=fallback.base_url, encrypted_key=fallback.encrypted_key)
        prices = replace(self.prices, input=fallback.input_price, output=fallback.output_price)
        return replace(self, engine_id=fallback.id, engine=fallback.engine, model=fallback.model, ai=ai, prices=prices)

    @property
    def checked_selection(self) -> tuple[str | None, ...]:
        """What a check of the AI endpoint, and a failure of it, is about."""
        ai = self.ai
        return ai.base_url, ai.encrypted_key, self.model, ai.embedding_choice, ai.embedding_model

    texts: SiteTexts = field(default_factory=SiteTexts)
    """The site's own texts in other languages."""

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
