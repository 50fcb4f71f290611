"""Copilot use cases: suggest a reply, rewrite a draft, summarize. The texts are returned, never stored or sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from parley.chat import metrics
from parley.chat.ai import timeouts
from parley.chat.ai.engine import AiEngine, AiEngineError
from parley.chat.ai.errors import TokenLimitReached
from parley.chat.ai.metering import CapReached, Limits, Meter, Spender, TokenBudget
from parley.chat.ai.model import EMPTY_REPLIES, WritingTask
from parley.chat.ai.ports import AiCallRecorder, AiEngines, KnowledgeSearch
from parley.chat.conversations.errors import ConversationNotFound
from parley.chat.conversations.model import Conversation
from parley.chat.copilot.errors import CopilotOff, NothingToRead, WritingFailed
from parley.chat.copilot.model import RewriteStyle, Suggestion
from parley.chat.copilot.ports import ConversationReader, RecentMessages
from parley.chat.copilot.prompts import (
    build_rewrite_task,
    build_suggestion_task,
    build_summary_task,
    split_sources,
)
from parley.chat.messages.model import Message
from parley.chat.sites.chatbot import AiError
from parley.chat.sites.site_settings import SiteSettings, SiteSettingsReader, get_authorized_site
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import ValidationFailed
from parley.common.observability import tracing
from parley.common.observability.logging import get_logger
from parley.common.observability.tracing import SpanKind
from parley.common.runtime.clock import Clock

log = get_logger(__name__)

MAX_MESSAGES = 50
MAX_PASSAGES = 6
MAX_QUESTION_MESSAGES = 3
"""The visitor's latest messages, by which the knowledge is searched."""


@dataclass(frozen=True, slots=True)
class CopilotService:
    """Methods with a conversation raise NotFound, Forbidden, CopilotOff, TokenLimitReached, WritingFailed."""

    conversations: ConversationReader
    messages: RecentMessages
    sites: SiteSettingsReader
    knowledge: KnowledgeSearch
    engines: AiEngines
    budget: TokenBudget
    calls: AiCallRecorder
    clock: Clock

    async def is_available(self, caller: OperatorCaller, site_id: int) -> bool:
        """Whether the site's AI can write. Raises NotFound, Forbidden."""
        return self._find_engine(await get_authorized_site(self.sites, caller, site_id)) is not None

    async def suggest(self, caller: OperatorCaller, conversation_id: int) -> Suggestion:
        """A draft of the next reply, from the conversation and the site's knowledge. Raises NothingToRead."""
        conversation, site = await self._get(caller, conversation_id)
        messages = await self._read(conversation)
        asked = [message.content for message in messages if message.role == "visitor" and message.content.strip()]
        question = "\n".join(asked[-MAX_QUESTION_MESSAGES:])
        passages = (await self.knowledge.search(site, question, MAX_PASSAGES)).passages
        language = _reply_language(conversation)
        task, sources = build_suggestion_task(site, caller.name, language, messages, passages)
        text, used = split_sources(await self._write(caller, task, "suggestion"), sources)
        if not text:
            raise WritingFailed(EMPTY_REPLIES["blank"], "empty")
        return Suggestion(text, used)

    async def rewrite(
        self, caller: OperatorCaller, conversation_id: int, text: str, style: RewriteStyle, language: str | None
    ) -> str:
        """The draft in another style. `translate` needs a language: the given one, or else the visitor's.

        Raises ValidationFailed if there is none.
        """
        conversation, site = await self._get(caller, conversation_id)
        target = language or conversation.translation.lang or conversation.visitor.language
        if style == "translate" and not target:
            raise ValidationFailed({"language": "is required: the visitor's language is not known"})
        return await self._write(caller, build_rewrite_task(site, text, style, target), "rewrite")

    async def summarize(self, caller: OperatorCaller, conversation_id: int) -> str:
        """A summary for the operator who takes over, in the caller's language. Raises NothingToRead."""
        conversation, site = await self._get(caller, conversation_id)
        messages = await self._read(conversation)
        return await self._write(caller, build_summary_task(site, caller.language, messages), "summary")

    async def _get(self, caller: OperatorCaller, conversation_id: int) -> tuple[Conversation, SiteSettings]:
        conversation = await self.conversations.find(caller.tenant_id, conversation_id)
        if conversation is None:
            raise ConversationNotFound
        caller.authorize(conversation.tenant_id, conversation.site_id)
        return conversation, await self.sites.get(conversation.tenant_id, conversation.site_id)

    async def _read(self, conversation: Conversation) -> Sequence[Message]:
        messages = await self.messages.list_for_conversation(conversation, limit=MAX_MESSAGES)
        if not any(message.content.strip() for message in messages if message.role != "system"):
            raise NothingToRead
        return messages

    def _find_engine(self, site: SiteSettings) -> AiEngine | None:
        try:
            engine = self.engines.get_for_site(site)
        except AiEngineError:
            return None
        return engine if engine.can_write else None

    async def _write(self, caller: OperatorCaller, task: WritingTask, kind: str) -> str:
        """The AI's text; its tokens count to the site's limits."""
        engine = self._find_engine(task.site)
        if engine is None:
            raise CopilotOff
        meter = Meter(self.budget, Spender(task.site.id), Limits.from_site(task.site))
        error: AiError | None = None
        try:
            with tracing.span(f"copilot {kind} by {engine.name}", SpanKind.CLIENT) as span:
                async with asyncio.timeout(timeouts.COPILOT_TIMEOUT_SECONDS):
                    text = await engine.write(replace(task, meter=meter))
                span.set_attribute("gen_ai.usage.total_tokens", meter.usage.total)
        except CapReached:
            metrics.COPILOT_TEXTS.labels(kind, "token_limit").inc()
            raise TokenLimitReached(self.clock()) from None
        except AiEngineError as exc:
            error = AiError(exc.reason, exc.code, self.clock())
        except TimeoutError:
            seconds = f"{timeouts.COPILOT_TIMEOUT_SECONDS:g}"
            error = AiError(f"The AI did not finish its text within {seconds} seconds.", "timeout", self.clock())
        finally:
            await meter.settle()
        await self._record_call(task.site, error)
        if error is not None:
            metrics.COPILOT_TEXTS.labels(kind, "failed").inc()
            log.warning("copilot_failed", kind=kind, site_id=task.site.id, reason=error.message)
            raise WritingFailed(error.message, error.code)
        metrics.COPILOT_TEXTS.labels(kind, "written").inc()
        log.info("copilot_wrote", kind=kind, site_id=task.site.id, operator_id=caller.operator_id)
        return text

    async def _record_call(self, site: SiteSettings, error: AiError | None) -> None:
        """Show the site's owner how the last call ended. A text is not lost because that could not be stored."""
        try:
            await self.calls.record_ai_call(site, error)
        except Exception as exc:
            log.warning("ai_call_not_recorded", site_id=site.id, error=repr(exc)[:300])


def _reply_language(conversation: Conversation) -> str | None:
    """The language that the operator writes in: their own if replies are translated, else the visitor's."""
    translation = conversation.translation
    if translation.enabled and translation.operator_lang:
        return translation.operator_lang
    return conversation.visitor.language
