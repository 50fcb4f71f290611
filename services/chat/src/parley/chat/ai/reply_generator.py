"""Generates one AI reply: asks the engine, streams its chunks, stores the message, or hands the visitor over.

Before each chunk is sent, and when the message is stored, the conversation's ownership generation is checked: once
an operator has accepted, the AI writes nothing more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from parley.chat import metrics
from parley.chat.ai import timeouts
from parley.chat.ai.choices import ChoicesFilter
from parley.chat.ai.engine import AiEngine, AiEngineError
from parley.chat.ai.metering import CapReached, Limits, Meter, Spender, TokenBudget
from parley.chat.ai.model import EMPTY_REPLIES, AiResult, EmptyReason, Prompt, ReplyMetadata, ResultKind
from parley.chat.ai.output_guard import NamedAddresses, OutputGuard
from parley.chat.ai.ports import AiCallRecorder, AiEngines, KnowledgeSearch, ToolSource, VisitorImages
from parley.chat.ai.prompts import describe_message, list_naming_texts, secret_texts, select_context
from parley.chat.ai.reply_stream import AiReplyStream
from parley.chat.ai.small_talk import means_request_for_person, reply_to_intent, reply_to_small_talk
from parley.chat.ai.visitor_images import find_image_use, load_images
from parley.chat.conversations import transitions
from parley.chat.conversations.away_notice import find_away_notice
from parley.chat.conversations.model import Change, Conversation
from parley.chat.conversations.ports import ConversationRepository
from parley.chat.handoff_requests import requests_human
from parley.chat.ids import NextId
from parley.chat.knowledge_gaps.model import MAX_QUESTION_CHARACTERS, UnansweredQuestion
from parley.chat.messages.model import Message, MessageDraft
from parley.chat.messages.ports import MessageRepository
from parley.chat.presence.ports import PresenceReader
from parley.chat.retrieval.model import Findings, Passage
from parley.chat.sites.chatbot import AiError
from parley.chat.sites.site_settings import SiteSettings, SiteSettingsReader
from parley.chat.system_messages import LocaleStrings, get_locale_strings
from parley.chat.tools.model import PendingCall
from parley.chat.tools.session import ReplyFenced, ToolSession
from parley.common.events.schemas import ConfirmationSchema, MessageSource, QuickReply
from parley.common.observability import tracing
from parley.common.observability.logging import get_logger
from parley.common.observability.tracing import SpanKind
from parley.common.runtime.clock import Clock

log = get_logger(__name__)

MAX_CONTEXT_MESSAGES = 20
MAX_PASSAGES = 4
MAX_CONSECUTIVE_MISSES = 2
"""Questions in a row without an answer before the AI requests a handoff."""
MAX_REPLY_CHARACTERS = 16_000
"""An engine that does not stop is stopped."""

_HANDOFF_REASONS = {"asked": "asked", "failed": "ai_failed", "did_not_know": "ai_does_not_know"}


@dataclass(frozen=True, slots=True)
class ReplyTask:
    """The reply to message `seq`, under the generation that `conversation` has."""

    conversation: Conversation
    seq: int
    site: SiteSettings
    strings: LocaleStrings
    stream: AiReplyStream
    tools: ToolSession
    client_ip: str = ""
    """Where the visitor wrote from; empty if this replica took the reply over."""

    @property
    def handoff_allowed(self) -> bool:
        return self.conversation.visitor.blocked not in ("operator", "both")

    def discard(self, meter: Meter) -> AiResult:
        """The result of a reply that is not stored, as somebody else answers by now."""
        return AiResult("", "fenced", meter.engines, tool_calls=tuple(self.tools.records))

    @property
    def confirmed_call(self) -> PendingCall | None:
        """The call that the message agrees to."""
        pending = self.conversation.pending_call
        return pending if pending is not None and pending.confirmed_by == self.seq else None


@dataclass(frozen=True, slots=True)
class PreparedReply:
    """What the engine is asked, and the messages up to the one that it replies to."""

    prompt: Prompt
    until: Sequence[Message]
    is_small_talk: bool


@dataclass(frozen=True, slots=True)
class ReplyGenerator:
    conversations: ConversationRepository
    messages: MessageRepository
    sites: SiteSettingsReader
    knowledge: KnowledgeSearch
    engines: AiEngines
    budget: TokenBudget
    presence: PresenceReader
    clock: Clock
    next_message_id: NextId
    calls: AiCallRecorder
    tools: ToolSource
    images: VisitorImages

    async def generate(
        self, conversation: Conversation, seq: int, stream: AiReplyStream, client_ip: str = ""
    ) -> Message | None:
        """Generate the reply to message `seq` into `stream`. Returns the stored message, None if it was discarded."""
        site = await self.sites.get(conversation.tenant_id, conversation.site_id)
        recent = await self.messages.list_for_conversation(conversation, limit=MAX_CONTEXT_MESSAGES)
        message = next((message for message in recent if message.seq == seq), None)
        question = describe_message(message) if message else ""
        strings = get_locale_strings(conversation.visitor.language or site.language)
        tools = await self.tools.open(conversation, seq, partial(self._is_generation_current, conversation))
        task = ReplyTask(conversation, seq, site, strings, stream, tools, client_ip)
        if task.handoff_allowed and message and requests_human(message.content):
            return await self._hand_over(task, AiResult("", "asked"))
        result = await self._ask_engine(task, question, recent)
        if result.kind == "asked":
            return await self._hand_over(task, result)
        if message is None or not message.content.strip():
            # An image or a file alone is no question that an entry could answer.
            result = replace(result, unanswered="")
        metrics.AI_REPLIES.labels(result.kind).inc()
        if result.kind == "fenced":
            await self._record_discarded_calls(task, result)
            return None
        gave_up = result.kind in ("failed", "capped") or (
            result.kind == "did_not_know" and conversation.consecutive_misses + 1 >= MAX_CONSECUTIVE_MISSES
        )
        if task.handoff_allowed and gave_up:
            return await self._hand_over(task, result)
        if task.handoff_allowed and result.kind == "did_not_know":
            # The text asks whether the visitor wants to talk to a person.
            result = replace(result, quick_replies=(QuickReply(label=strings.ask_for_person, handoff=True),))
        return await self._save(task, result)

    async def _ask_engine(self, task: ReplyTask, question: str, recent: Sequence[Message]) -> AiResult:
        """Stream the engine's reply. An engine's failure is a result, with a sentence about it at the end."""
        meter = self._open_meter(task)
        try:
            prepared = await self._prepare(task, question, recent, meter)
            if prepared is None:
                meter.replies = 0
                return AiResult("", "asked", meter.engines)
            return await self._ask_prepared(task, prepared, meter)
        finally:
            await meter.settle()

    async def _prepare(
        self, task: ReplyTask, question: str, recent: Sequence[Message], meter: Meter
    ) -> PreparedReply | None:
        """What the engine is asked; None if the question means that the visitor wants a person."""
        site, pending = task.site, task.confirmed_call
        small_talk = None if pending else reply_to_small_talk(question, task.strings)
        findings = Findings()
        if small_talk is None and pending is None:
            findings = await self.knowledge.search(site, question, MAX_PASSAGES, meter)
            if task.handoff_allowed and means_request_for_person(question, findings):
                return None
            small_talk = reply_to_intent(findings, task.strings)
            findings = Findings() if small_talk else findings
        until = [message for message in recent if message.seq <= task.seq]
        images: tuple[bytes, ...] = ()
        if not small_talk and not pending:
            images = await load_images(self.images, site, task.conversation.visitor, until)
        prompt = Prompt(
            site,
            question,
            task.conversation.visitor.language,
            select_context(task.seq, recent),
            findings,
            small_talk or task.strings.unknown_answer,
            meter=meter,
            images=images,
        )
        return PreparedReply(prompt, until, is_small_talk=small_talk is not None)

    async def _ask_prepared(self, task: ReplyTask, prepared: PreparedReply, meter: Meter) -> AiResult:
        site, prompt, metadata = task.site, prepared.prompt, ReplyMetadata()
        try:
            if task.confirmed_call is not None:
                await self._carry_out(task, task.confirmed_call)
            engine = self.engines.get_for_site(site)
            if engine.can_call_tools and not prepared.is_small_talk and not task.tools.is_empty:
                prompt = replace(prompt, tools=task.tools)
            with tracing.span(f"answer by {engine.name}", SpanKind.CLIENT) as span:
                async with asyncio.timeout(timeouts.REPLY_TIMEOUT_SECONDS):
                    engine, fenced = await self._answer_within_caps(engine, prompt, metadata, task)
                span.set_attribute("gen_ai.usage.total_tokens", meter.usage.total)
        except ReplyFenced:
            return task.discard(meter)
        except CapReached as reached:
            return await self._stop(task, reached, meter)
        except Exception as exc:
            return await self._fail(task, exc, meter)
        if metadata.empty_reason is not None:
            metrics.AI_EMPTY_REPLIES.labels(metadata.empty_reason).inc()
            log.info("ai_reply_empty", engine=engine.name, site_id=site.id, reason=metadata.empty_reason)
        if fenced:
            return task.discard(meter)
        is_builtin = engine is self.engines.builtin
        if not is_builtin:
            await self._record_call(site, self._explain_empty(metadata.empty_reason))
        return _to_result(task, prepared, metadata, meter, is_builtin=is_builtin)

    def _open_meter(self, task: ReplyTask) -> Meter:
        visitor, site = task.conversation.visitor, task.site
        spender = Spender(site.id, visitor.session, task.client_ip, task.conversation.id)
        return Meter(self.budget, spender, Limits.from_site(site), replies=1)

    async def _answer_within_caps(
        self, engine: AiEngine, prompt: Prompt, metadata: ReplyMetadata, task: ReplyTask
    ) -> tuple[AiEngine, bool]:
        """As `_answer`, with the engine that answered: the built-in one where a cap is reached and the site says so.

        Raises CapReached if a person is to answer.
        """
        try:
            return engine, await self._answer(engine, prompt, metadata, task)
        except CapReached as reached:
            metrics.AI_CAPS_REACHED.labels(reached.cap).inc()
            log.info("ai_cap_reached", site_id=task.site.id, cap=reached.cap)
            has_begun = bool(task.stream.chunks or task.tools.records)
            if has_begun or (task.site.caps.when_reached == "handoff" and task.handoff_allowed):
                raise
            builtin, metadata.cap = self.engines.builtin, reached.cap
            return builtin, await self._answer(builtin, replace(prompt, tools=None), metadata, task)

    async def _stop(self, task: ReplyTask, reached: CapReached, meter: Meter) -> AiResult:
        """The result of a reply that a cap has ended."""
        if not await self._is_generation_current(task.conversation):
            return task.discard(meter)
        if not task.handoff_allowed:
            task.stream.append(f" … {task.strings.engine_failed}")
        calls = tuple(task.tools.records)
        return AiResult(task.stream.text, "capped", meter.engines, tool_calls=calls, cap=reached.cap)

    async def _fail(self, task: ReplyTask, exc: Exception, meter: Meter) -> AiResult:
        """The result of a reply that an engine did not finish: it does not count to the caps on replies."""
        meter.replies = 0
        site, stream, error = task.site, task.stream, self._explain(exc)
        log.warning("ai_reply_failed", engine=site.engine, site_id=site.id, reason=error.message, error=repr(exc)[:300])
        await self._record_call(site, error)
        if not await self._is_generation_current(task.conversation):
            return task.discard(meter)
        failure = task.strings.engine_failed
        stream.append(f" … {failure}" if stream.chunks else failure)
        return AiResult(stream.text, "failed", meter.engines, tool_calls=tuple(task.tools.records))

    async def _answer(self, engine: AiEngine, prompt: Prompt, metadata: ReplyMetadata, task: ReplyTask) -> bool:
        """Send the engine's reply, and what the visitor is asked. True if somebody else answers by now."""
        if task.confirmed_call is not None and prompt.tools is None:
            # An engine without tools cannot say more about what was carried out.
            return not await self._is_generation_current(task.conversation)
        return await self._stream(engine, prompt, metadata, task) or not await self._ask_visitor(task)

    async def _carry_out(self, task: ReplyTask, pending: PendingCall) -> None:
        """Carry out what the visitor has agreed to, once, and say how it ended: not the model says so, but we.

        Raises ReplyFenced.
        """
        conversation, at = task.conversation, self.clock()
        change = await self.conversations.change(
            conversation.tenant_id,
            conversation.id,
            lambda current: transitions.start_confirmed_call(current, pending.id, conversation.generation, at),
        )
        if change is None and not await self._is_generation_current(conversation):
            raise ReplyFenced
        succeeded = await task.tools.carry_out(pending, is_first=change is not None)
        text = task.strings.call_done if succeeded else task.strings.call_failed
        task.stream.append(f"{text.format(title=pending.title)}\n\n")

    async def _ask_visitor(self, task: ReplyTask) -> bool:
        """Ask the visitor about the call that the model wants to make, if any. False if somebody else answers now.

        The text is ours: a model could hide what it is about to do.
        """
        session = task.tools
        if session.asked is None:
            return True
        if not await self._is_generation_current(task.conversation):
            return False
        values = "".join(f"\n- {name}: `{value}`" for name, value in session.describe_asked())
        gap = "\n\n" if task.stream.chunks else ""
        task.stream.append(f"{gap}**{session.asked.title}**\n{values}\n\n{task.strings.call_question}")
        return True

    async def _record_discarded_calls(self, task: ReplyTask, result: AiResult) -> None:
        """Note the calls of a reply that is not stored: what they have done stays done."""
        titles = [f"{call.title} ({call.outcome})" for call in result.tool_calls if call.outcome != "asked"]
        if titles:
            at = self.clock()
            await self.conversations.change(
                task.conversation.tenant_id,
                task.conversation.id,
                lambda current: transitions.record_discarded_calls(current, titles, at),
            )

    def _explain(self, exc: Exception) -> AiError:
        """A failure for the site's owner."""
        if isinstance(exc, AiEngineError):
            return AiError(exc.reason, exc.code, self.clock())
        if isinstance(exc, TimeoutError):
            seconds = f"{timeouts.REPLY_TIMEOUT_SECONDS:g}"
            return AiError(f"The AI did not finish its reply within {seconds} seconds.", "timeout", self.clock())
        return AiError("The AI engine failed.", "engine_failed", self.clock())

    def _explain_empty(self, reason: EmptyReason | None) -> AiError | None:
        """A reply that was no answer, for the site's owner; None for a call that succeeded."""
        message = EMPTY_REPLIES.get(reason) if reason else None
        return AiError(message, f"empty_{reason}", self.clock()) if message else None

    async def _record_call(self, site: SiteSettings, error: AiError | None) -> None:
        try:
            await self.calls.record_ai_call(site, error)
        except Exception as exc:
            log.warning("ai_call_not_recorded", site_id=site.id, error=repr(exc)[:300])

    async def _stream(self, engine: AiEngine, prompt: Prompt, metadata: ReplyMetadata, task: ReplyTask) -> bool:
        """Send the engine's chunks, small ones together. True if the ownership generation has changed.

        Raises CapReached.
        """
        loop = asyncio.get_running_loop()
        pending: list[str] = []
        choices = ChoicesFilter()
        length, flushed_at = 0, 0.0

        async def flush() -> bool:
            if not any(pending):
                return False
            if not await self._is_generation_current(task.conversation):
                return True
            task.stream.append("".join(pending))
            pending.clear()
            return False

        guard = self._guard(prompt, task)
        # Closed explicitly, so that an engine that is stopped early frees its connection immediately.
        reached: CapReached | None = None
        try:
            async with aclosing(engine.answer(prompt, metadata)) as chunks:
                async for chunk in chunks:
                    pending.append(guard.feed(choices.feed(chunk)))
                    length += len(chunk)
                    if any(pending) and loop.time() - flushed_at >= timeouts.FLUSH_INTERVAL_SECONDS:
                        flushed_at = loop.time()
                        if await flush():
                            return True
                    if length >= MAX_REPLY_CHARACTERS or guard.revealed:
                        break
        except CapReached as exc:
            # What was said before it is shown.
            reached = exc
        pending.append(guard.feed(choices.finish()) + guard.finish())
        if guard.removed:
            metrics.AI_REMOVED_ADDRESSES.inc(guard.removed)
        if guard.revealed:
            log.warning("ai_reply_revealed_instructions", engine=engine.name, site_id=task.site.id)
            metadata.knew_answer, metadata.empty_reason = False, "instructions"
            pending.append(f"… {prompt.fallback_text}" if task.stream.chunks or any(pending) else prompt.fallback_text)
        elif self._guard(prompt, task).admits("\n".join(reply.label for reply in choices.quick_replies)):
            metadata.quick_replies = choices.quick_replies
        fenced = await flush()
        if reached is not None and not fenced:
            raise reached
        return fenced

    def _guard(self, prompt: Prompt, task: ReplyTask) -> OutputGuard:
        named = NamedAddresses(list_naming_texts(prompt))

        def list_results() -> list[str]:
            return [content for exchange in task.tools.exchanges for _, content in exchange.calls]

        return OutputGuard(named, secret_texts(task.site), task.strings.address_removed, list_results)

    async def _is_generation_current(self, conversation: Conversation) -> bool:
        """Whether the AI still answers in the conversation, and has done so since this reply started."""
        return await self.conversations.get_generation(conversation.id) == conversation.generation

    async def _hand_over(self, task: ReplyTask, result: AiResult) -> Message | None:
        """Store the reply together with a handoff request. Its text says so, or that no operator is available."""
        language = task.conversation.visitor.language
        away_notice = await find_away_notice(task.site, language, self.presence, self.clock())
        if not await self._is_generation_current(task.conversation):
            return None
        notice = away_notice or task.strings.handoff_requested
        task.stream.append(f"{' ' if task.stream.chunks else ''}{notice}")
        whole = replace(result, content=task.stream.text, asked=None, quick_replies=())
        reason = f"ai_cap_{result.cap}" if result.kind == "capped" else _HANDOFF_REASONS[result.kind]
        return await self._save(task, whole, handoff_reason=reason)

    async def _save(self, task: ReplyTask, result: AiResult, *, handoff_reason: str | None = None) -> Message | None:
        """Store the reply, and request a handoff if there is a reason. None if the ownership generation has changed."""
        conversation = task.conversation
        dedup_key = f"ai:{task.seq}:{conversation.generation}"
        at = self.clock()
        content = result.content or "…"
        draft = MessageDraft(
            await self.next_message_id(),
            "ai",
            content,
            message_id=dedup_key,
            reply_to=task.seq,
            sources=result.sources,
            confirmation=_to_confirmation(result.asked),
            tool_calls=result.tool_calls,
            quick_replies=result.quick_replies,
            cited=result.cited,
            cap_reached=result.cap if result.kind != "capped" else None,
            image_use=result.image,
        )
        unanswered = self._find_unanswered(task, result, at, handed_over=handoff_reason is not None)

        def add(current: Conversation) -> Change | None:
            if current.find_recent_seq(dedup_key) is not None:
                return None
            change = transitions.add_ai_message(
                current,
                draft,
                conversation.generation,
                at,
                knew_answer=result.kind != "did_not_know",
                usage=result.usage,
                pending_call=result.asked,
            )
            if change is None:
                return None
            change = replace(change, unanswered=unanswered)
            if handoff_reason is None:
                return change
            handoff = transitions.request_handoff(change.conversation, handoff_reason, at)
            return replace(change, conversation=handoff.conversation, events=change.events + handoff.events)

        change = await self.conversations.change(conversation.tenant_id, conversation.id, add)
        if change is None:
            return None
        if unanswered is not None:
            metrics.UNANSWERED_QUESTIONS.labels(unanswered.outcome).inc()
        return change.messages[0]

    def _find_unanswered(
        self, task: ReplyTask, result: AiResult, at: datetime, *, handed_over: bool
    ) -> UnansweredQuestion | None:
        """The question as a gap of the site's knowledge; None if it was answered, or has no text."""
        text = result.unanswered.strip()[:MAX_QUESTION_CHARACTERS]
        if not text:
            return None
        conversation = task.conversation
        return UnansweredQuestion(
            conversation.tenant_id,
            conversation.site_id,
            conversation.id,
            task.seq,
            text,
            conversation.visitor.language,
            "handed_over" if handed_over else "declined",
            at,
        )


def _to_confirmation(asked: PendingCall | None) -> ConfirmationSchema | None:
    if asked is None:
        return None
    return ConfirmationSchema(id=asked.id, title=asked.title, expires_at=asked.expires_at)


def to_message_sources(passages: Sequence[Passage]) -> tuple[MessageSource, ...]:
    """What a message says about its sources, each named once."""
    sources = (MessageSource(title=passage.title, url=_to_link(passage.url)) for passage in passages)
    return tuple(dict.fromkeys(sources))[:MAX_PASSAGES]


def _to_link(url: str | None) -> str | None:
    """The address if a browser may follow it from a message."""
    return url if url and url.startswith(("https://", "http://")) else None


def _to_result(
    task: ReplyTask, prepared: PreparedReply, metadata: ReplyMetadata, meter: Meter, *, is_builtin: bool
) -> AiResult:
    """The result of a reply that was generated."""
    asked = task.tools.asked
    knew_answer = metadata.knew_answer or prepared.is_small_talk or task.confirmed_call is not None
    kind: ResultKind = "knew" if knew_answer else "did_not_know"
    passages = metadata.sources if metadata.knew_answer else ()
    # An attempt to get the instructions is no question that an entry could answer.
    is_unanswered = kind == "did_not_know" and metadata.empty_reason != "instructions"
    by_model = not prepared.is_small_talk and not is_builtin
    replied_by = (one for one in task.site.list_engines() if by_model and one.engine_id == metadata.engine_id)
    return AiResult(
        task.stream.text,
        kind,
        meter.engines,
        to_message_sources(passages),
        tuple(task.tools.records),
        asked,
        () if asked is not None else metadata.quick_replies,
        metadata.cap,
        tuple(dict.fromkeys(passage.reference for passage in passages)),
        prepared.prompt.question if is_unanswered else "",
        find_image_use(prepared.until, prepared.prompt.images, next(replied_by, None)),
    )
