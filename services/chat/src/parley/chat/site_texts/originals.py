"""Which of a site's settings are texts that visitors read, and what a visitor reads of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from parley.chat.forms.model import FormField, SiteForms
from parley.chat.sites.chatbot import DEFAULT_OFFLINE_MESSAGE, DEFAULT_WELCOME
from parley.chat.sites.site_settings import SiteSettings
from parley.chat.system_messages import LOCALES, LocaleStrings
from parley.chat.triggers.model import Trigger
from parley.common.languages import match_language

_CONSENT = "forms.consent"
_TRIGGER_REPLY = "trigger.reply."
_DEFAULTS = frozenset({DEFAULT_OFFLINE_MESSAGE, DEFAULT_WELCOME})
"""Parley's own, which are there in many languages."""

_Translate = Callable[[str, str], str]
"""The text of a key as the visitor reads it; the original where there is no translation."""


def list_originals(site: SiteSettings) -> Mapping[str, str]:
    """The site's own texts, by key."""
    texts = {}

    def collect(key: str, original: str) -> str:
        if original.strip() and original.strip() not in _DEFAULTS:
            texts[key] = original
        return original

    _map_texts(site, collect)
    return texts


def find_translation(site: SiteSettings, key: str, language: str | None) -> str | None:
    """The approved translation of one of the site's texts; None where the original is what a visitor reads."""
    original = list_originals(site).get(key)
    return original and site.texts.find_approved(
        key, language, site.language, original=original if _is_current_only(key) else None
    )


def _is_current_only(key: str) -> bool:
    """Whether a stale translation of a text is not shown.

    Nobody agrees to a text that does not hold any more, and no button has the label of another: its key is its place.
    """
    return key == _CONSENT or key.startswith(_TRIGGER_REPLY)


def localize(site: SiteSettings, language: str | None) -> SiteSettings:
    """The settings with texts as a visitor reads them: translations, and the defaults in the visitor's language."""
    defaults = _find_defaults(language)
    originals = list_originals(site)

    def translate(key: str, original: str) -> str:
        if defaults is not None and original.strip() == DEFAULT_WELCOME:
            return defaults.greeting
        if defaults is not None and original.strip() == DEFAULT_OFFLINE_MESSAGE:
            return defaults.team_offline
        current = original if _is_current_only(key) else None
        translation = site.texts.find_approved(key, language, site.language, original=current)
        return translation if translation and key in originals else original

    return _map_texts(site, translate)


def _map_texts(site: SiteSettings, text: _Translate) -> SiteSettings:
    """The settings with each text replaced. A text of a further setting is a line here."""
    return replace(
        site,
        welcome=text("welcome", site.welcome),
        offline_message=text("offline_message", site.offline_message),
        forms=_map_forms(site.forms, text),
        triggers=tuple(_map_trigger(one, text) for one in site.triggers),
    )


def _map_trigger(trigger: Trigger, text: _Translate) -> Trigger:
    message = text(f"trigger.message.{trigger.id}", trigger.draft.message)
    replies = tuple(
        reply.model_copy(update={"label": text(f"{_TRIGGER_REPLY}{trigger.id}.{place}", reply.label)})
        for place, reply in enumerate(trigger.draft.quick_replies, 1)
    )
    return replace(trigger, draft=replace(trigger.draft, message=message, quick_replies=replies))


def _map_forms(forms: SiteForms, text: _Translate) -> SiteForms:
    prechat, offline, consent = forms.prechat, forms.offline, forms.consent
    return replace(
        forms,
        consent=consent and replace(consent, text=text(_CONSENT, consent.text)),
        departments=tuple(
            replace(one, label=text(f"forms.department.{one.team_id or 'any'}", one.label)) for one in forms.departments
        ),
        prechat=replace(
            prechat,
            title=text("prechat.title", prechat.title),
            intro=text("prechat.intro", prechat.intro),
            fields=tuple(_map_field("prechat", one, text) for one in prechat.fields),
        ),
        offline=replace(
            offline,
            title=text("offline.title", offline.title),
            intro=text("offline.intro", offline.intro),
            confirmation=text("offline.confirmation", offline.confirmation),
            fields=tuple(_map_field("offline", one, text) for one in offline.fields),
        ),
    )


def _map_field(form: str, field: FormField, text: _Translate) -> FormField:
    """The label only: an option is also the answer that operators read."""
    return replace(field, label=text(f"{form}.field.{field.key}", field.label))


def _find_defaults(language: str | None) -> LocaleStrings | None:
    """Parley's own texts in a language other than that of the defaults."""
    supported = match_language(language, LOCALES)
    return LOCALES[supported] if supported is not None and supported != "en" else None
