"""What is stored with a site about its engines besides their settings: the last check of each, and its breaker."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from parley.chat.newer_documents import known_fields
from parley.chat.sites.chatbot import AiError, ChatbotSettings
from parley.chat.sites.engine_check import PRIMARY_ENGINE, CheckStep, EngineCheck
from parley.chat.sites.engine_state import EngineState
from parley.common.mongodb import Document

SELECTION = "selection"
"""The hash of the settings that a check or a failure is about. Of other settings, it says nothing."""


def hash_selection(selection: Sequence[str | None]) -> str:
    text = "\0".join(part or "" for part in selection)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def check_document(check: EngineCheck, selection: Sequence[str | None]) -> Document:
    return {**asdict(check), SELECTION: hash_selection(selection)}


def to_checks(documents: Mapping[str, Any], bot: ChatbotSettings) -> dict[str, EngineCheck]:
    return {name: _to_check(document) for name, document in _of_present_settings(documents, bot).items()}


def to_states(documents: Mapping[str, Any], bot: ChatbotSettings) -> dict[str, EngineState]:
    return {name: to_state(document) for name, document in _of_present_settings(documents, bot).items()}


def to_state(document: Mapping[str, Any]) -> EngineState:
    known = known_fields(EngineState, document)
    return EngineState(**{**known, "error": AiError(**known_fields(AiError, known["error"]))})


def _to_check(document: Mapping[str, Any]) -> EngineCheck:
    known = known_fields(EngineCheck, document)
    known["steps"] = tuple(CheckStep(**known_fields(CheckStep, step)) for step in known["steps"])
    known["known_models"] = tuple(known["known_models"])
    return EngineCheck(**known)


def _of_present_settings(documents: Mapping[str, Any], bot: ChatbotSettings) -> dict[str, Mapping[str, Any]]:
    hashes = {name: hash_selection(selection) for name, selection in _selections(bot).items()}
    return {name: one for name, one in documents.items() if one.get(SELECTION) == hashes.get(name, "")}


def _selections(bot: ChatbotSettings) -> dict[str, Sequence[str | None]]:
    """As `SiteSettings.checked_selection` of each engine."""
    embeddings = (bot.ai.embedding_choice, bot.ai.embedding_model)
    engines = {one.id: (one.base_url, one.encrypted_key, one.model) for one in bot.fallbacks}
    engines[PRIMARY_ENGINE] = (bot.ai.base_url, bot.ai.encrypted_key, bot.model)
    return {name: (*engine, *embeddings) for name, engine in engines.items()}
