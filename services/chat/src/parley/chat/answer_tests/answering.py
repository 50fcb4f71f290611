"""Asks a site's AI a question as a visitor would, with settings and knowledge that need not be live."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from parley.chat.ai import timeouts
from parley.chat.ai.choices import ChoicesFilter
from parley.chat.ai.engine import AiEngine, AiEngineError
from parley.chat.ai.metering import CapReached, Limits, Meter, Spender, TokenBudget
from parley.chat.ai.model import Prompt, ReplyMetadata
from parley.chat.ai.output_guard import NamedAddresses, OutputGuard
from parley.chat.ai.ports import AiEngines
from parley.chat.ai.prompts import list_naming_texts, secret_texts
from parley.chat.ai.reply_generator import MAX_PASSAGES, MAX_REPLY_CHARACTERS, to_message_sources
from parley.chat.ai.small_talk import means_request_for_person, reply_to_intent, reply_to_small_talk
from parley.chat.answer_tests.model import GivenAnswer, Outcome
from parley.chat.answer_tests.ports import TokenLimitReached
from parley.chat.handoff_requests import requests_human
from parley.chat.messages.model import Message
from parley.chat.retrieval.model import Findings
from parley.chat.retrieval.service import RetrievalService
from parley.chat.sites.site_settings import SiteSettings
from parley.chat.system_messages import LocaleStrings, get_locale_strings


@dataclass(frozen=True, slots=True)
class QuestionAnswerer:
    """An Answerer. Each kind of knowledge has an index of its own, so that they do not replace each other."""

    engines: AiEngines
    budget: TokenBudget
    live: RetrievalService
    candidate: RetrievalService
    pending: RetrievalService
    """Of the knowledge with all changes that wait to be approved."""

    async def prepare(self, site: SiteSettings, *, candidate: bool, pending_changes: bool) -> None:
        await self._knowledge(candidate, pending_changes).prepare(site)

    async def answer(
        self,
        site: SiteSettings,
        question: str,
        language: str | None,
        context: Sequence[Message],
        *,
        candidate: bool,
        pending_changes: bool,
    ) -> GivenAnswer:
        started = time.monotonic()
        # Each engine is tried, in order, however it has failed for visitors lately.
        site = replace(site, engine_states={})
        if requests_human(question):
            return GivenAnswer("handed_over", "", seconds=time.monotonic() - started, engine=site.engine_id)
        strings = get_locale_strings(language or site.language)
        small_talk = reply_to_small_talk(question, strings)
        knowledge = self._knowledge(candidate, pending_changes)
        meter = Meter(self.budget, Spender(site.id), Limits.from_site(site))
        findings = Findings()
        if small_talk is None:
            findings = await knowledge.search(site, question, MAX_PASSAGES, meter)
            if means_request_for_person(question, findings):
                return GivenAnswer("handed_over", "", seconds=time.monotonic() - started, engine=site.engine_id)
            small_talk = reply_to_intent(findings, strings)
            findings = Findings() if small_talk else findings
        fallback_text = small_talk or strings.unknown_answer
        prompt = Prompt(site, question, language, context, findings, fallback_text, meter=meter)
        metadata = ReplyMetadata(engine_id=site.engine_id)
        try:
            text = await self._ask(prompt, metadata, strings)
        except (AiEngineError, TimeoutError) as exc:
            code = exc.code if isinstance(exc, AiEngineError) else "timeout"
            seconds = time.monotonic() - started
            return GivenAnswer("failed", "", (), seconds, meter.usage.total, code, metadata.engine_id)
        finally:
            await meter.settle()
        outcome: Outcome = "answered" if metadata.knew_answer or small_talk is not None else "declined"
        sources = to_message_sources(metadata.sources) if metadata.knew_answer else ()
        seconds = time.monotonic() - started
        return GivenAnswer(outcome, text, sources, seconds, meter.usage.total, engine=metadata.engine_id)

    async def _ask(self, prompt: Prompt, metadata: ReplyMetadata, strings: LocaleStrings) -> str:
        """The engine's whole reply; its tokens count to the site's limits. Raises AiEngineError, TimeoutError."""
        engine = self.engines.get_for_site(prompt.site)
        try:
            async with asyncio.timeout(timeouts.REPLY_TIMEOUT_SECONDS):
                return await _collect(engine, prompt, metadata, strings)
        except CapReached:
            raise TokenLimitReached from None

    def _knowledge(self, candidate: bool, pending_changes: bool) -> RetrievalService:
        if pending_changes:
            return self.pending
        return self.candidate if candidate else self.live


async def _collect(engine: AiEngine, prompt: Prompt, metadata: ReplyMetadata, strings: LocaleStrings) -> str:
    """The reply as a visitor would see it."""
    named = NamedAddresses(list_naming_texts(prompt))
    guard = OutputGuard(named, secret_texts(prompt.site), strings.address_removed, list)
    choices, parts, length = ChoicesFilter(), list[str](), 0
    async with aclosing(engine.answer(prompt, metadata)) as chunks:
        async for chunk in chunks:
            parts.append(guard.feed(choices.feed(chunk)))
            length += len(chunk)
            if length >= MAX_REPLY_CHARACTERS or guard.revealed:
                break
    parts.append(guard.feed(choices.finish()) + guard.finish())
    if guard.revealed:
        metadata.knew_answer = False
    return "".join(parts)
