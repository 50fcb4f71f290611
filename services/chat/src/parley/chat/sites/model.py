"""Sites (websites with the widget)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from parley.chat.forms.model import SiteForms
from parley.chat.identification.model import IdentitySecret
from parley.chat.site_texts.model import SiteTexts
from parley.chat.sites.chatbot import AiError, ChatbotSettings
from parley.chat.sites.engine_check import EngineCheck
from parley.chat.sites.engine_state import EngineState
from parley.chat.sites.routing import SiteRouting
from parley.chat.sites.site_settings import SiteSettings
from parley.chat.triggers.model import Trigger


@dataclass(frozen=True, slots=True)
class SiteDraft:
    """A new site, as its owner describes it."""

    name: str
    domains: tuple[str, ...]
    any_origin: bool
    language: str
    page_tracking: bool = True
    page_parameters: tuple[str, ...] = ()
    sound: bool = True
    read_receipts: bool = True
    transcript_email: bool = True


@dataclass(frozen=True, slots=True)
class Site:
    """One website. `domains` are host names, or `*.` and a parent for all names below it; each covers every port.

    `page_tracking`: operators see which page a visitor is on, without its fragment and its query, except for the
    query's `page_parameters`. `sound`: whether new messages make a sound in the widget, until the visitor chooses.
    `read_receipts`: whether the widget shows that an operator has read a message. `transcript_email`: whether a
    conversation can be sent by e-mail, where the installation sends mail.
    """

    id: int
    tenant_id: int
    name: str
    site_key: str
    created_at: datetime
    domains: tuple[str, ...] = ()
    any_origin: bool = False
    language: str = "en"
    page_tracking: bool = True
    page_parameters: tuple[str, ...] = ()
    sound: bool = True
    read_receipts: bool = True
    transcript_email: bool = True
    routing: SiteRouting = field(default_factory=SiteRouting)
    chatbot: ChatbotSettings = field(default_factory=ChatbotSettings)
    forms: SiteForms = field(default_factory=SiteForms)
    identity_secrets: tuple[IdentitySecret, ...] = ()
    """By which the site's server proves who its visitors are."""
    triggers: tuple[Trigger, ...] = ()
    """In their order, also those that are off."""
    texts: SiteTexts = field(default_factory=SiteTexts)
    """The site's own texts in other languages."""
    last_ai_error: AiError | None = None
    """Of the last call with the present AI settings; None if it succeeded. Changes without a new version."""
    engine_checks: Mapping[str, EngineCheck] = field(default_factory=dict)
    """The last check of each engine, if it was of the present settings. Changes without a new version."""
    engine_states: Mapping[str, EngineState] = field(default_factory=dict)
    """How engines have failed lately. Changes without a new version."""
    deleted: bool = False
    version: int = 1

    @property
    def settings(self) -> SiteSettings:
        """The part of the site that conversations need."""
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
            page_tracking=self.page_tracking,
            page_parameters=self.page_parameters,
            sound=self.sound,
            read_receipts=self.read_receipts,
            transcript_email=self.transcript_email,
            notifies_when_pending=bot.routing != "manual",
            routing=self.routing,
            files=bot.files,
            silence_policy=bot.silence_policy,
            forms=self.forms,
            site_key=self.site_key,
            identity_secrets=self.identity_secrets,
            triggers=self.triggers,
            fallbacks=bot.fallbacks,
            caps=bot.caps,
            prices=bot.prices,
            engine_checks=self.engine_checks,
            engine_states=self.engine_states,
            texts=self.texts,
        )
