"""One endpoint with OpenAI's chat completions API and one key, streamed with the official SDK.

Requests are bounded on both sides: the length of the prompt, the length of the reply, and the time to its start and
between its chunks. The SDK retries the start only: after the first chunk a failure is reported, as a second answer
could contradict the first.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import httpx2
from openai import APIStatusError, AsyncOpenAI, OpenAIError
from openai.types.chat import ChatCompletion

from parley.chat.ai.citations import CitationFilter
from parley.chat.ai.engine import AiEngineError
from parley.chat.ai.engines.openai_dialect import (
    REFUSED_PARAMETER_STATUSES,
    TOOLS_REFUSED_STATUSES,
    Dialect,
    explain_failure,
    learn_from_refusal,
)
from parley.chat.ai.engines.openai_tools import CallCollector
from parley.chat.ai.metering import Meter
from parley.chat.ai.model import EMPTY_REPLIES, EmptyReason, Prompt, ReplyMetadata, WritingTask
from parley.chat.ai.prompts import (
    NO_ANSWER_TOOL,
    build_instructions,
    build_turns,
    estimate_length,
    estimate_prompt_tokens,
    estimate_task_tokens,
    estimate_tokens,
)
from parley.chat.ai.reply_filter import ReplyFilter
from parley.chat.ai.ssrf_safe_client import build_ssrf_safe_client
from parley.chat.ai.usage import TokenUsage
from parley.chat.sites.chatbot import AiPrices
from parley.chat.sites.site_settings import SiteSettings
from parley.chat.tools.model import ToolRequest
from parley.chat.tools.session import ToolSession
from parley.common.http.ssrf_guard import EndpointRejected, SsrfGuard
from parley.common.observability.logging import get_logger

log = get_logger(__name__)

_MAX_DIALECTS = 64
"""Models whose refusals are remembered for an endpoint."""
_MAY_HAVE_COST = ("timeout", "broken_off", "endpoint_failed", "engine_failed")
"""Failures after which an endpoint may ask to be paid all the same."""
_CUT = ("length", None)
"""A reply whose stream ended so was not finished."""
_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking")
_MAX_REPORTED_TOKENS = 1_000_000
"""Per reply; a higher report of an endpoint is ignored."""


_BuildMessages = Callable[[Dialect], tuple[str, Sequence[tuple[str, str]]]]
"""Instructions and turns of a request, for what the model accepts."""


@dataclass(frozen=True, slots=True)
class OpenAiDefaults:
    """The installation's values, for what a site does not set itself."""

    model: str
    temperature: float
    idle_timeout_seconds: float
    """To the reply's start, and between its chunks."""
    max_reply_tokens: int


class OpenAiClient:
    def __init__(
        self, defaults: OpenAiDefaults, *, base_url: str | None, api_key: str, ssrf_guard: SsrfGuard | None = None
    ) -> None:
        """With `ssrf_guard`, for an endpoint that a site names, only addresses that it allows are connected to."""
        self._defaults = defaults
        self._dialects: dict[str, Dialect] = {}
        """What was learned, by model."""
        self.sdk = AsyncOpenAI(
            base_url=base_url,
            api_key=api_key,
            timeout=defaults.idle_timeout_seconds,
            max_retries=1,
            http_client=build_ssrf_safe_client(ssrf_guard) if ssrf_guard is not None else None,
        )

    async def answer(self, prompt: Prompt, metadata: ReplyMetadata) -> AsyncGenerator[str, None]:
        """Yield the reply in chunks. Raises AiEngineError.

        A reply without content is none, however it ended: the visitor gets the fallback text.
        """
        cited: list[int] = []
        said = False
        while True:
            turn = _Turn()
            if said:
                turn.separator = "\n\n"
            async with aclosing(self._answer_turn(prompt, turn)) as chunks:
                async for chunk in chunks:
                    yield chunk
            said = said or turn.reply.has_content
            cited += turn.citations.numbers
            if not turn.requests or prompt.tools is None or prompt.tools.is_exhausted:
                break
            if not await prompt.tools.run("".join(turn.text), turn.requests):
                break
        reply, ending, passages = turn.reply, turn.ending, prompt.findings.passages
        numbers = [number for number in dict.fromkeys(cited) if 0 < number <= len(passages)]
        metadata.sources = [passages[number - 1].passage for number in numbers]
        if prompt.tools is not None and prompt.tools.asked is not None:
            return
        metadata.empty_reason = _find_empty_reason(reply, ending)
        if metadata.empty_reason is not None:
            metadata.knew_answer = False
            yield f" {prompt.fallback_text}" if said else prompt.fallback_text
        elif ending.finish_reason in _CUT:
            yield " …"

    async def _answer_turn(self, prompt: Prompt, turn: _Turn) -> AsyncGenerator[str, None]:
        """Yield what the model says until it ends or calls tools. Raises AiEngineError, CapReached."""

        def build(dialect: Dialect) -> tuple[str, Sequence[tuple[str, str]]]:
            return build_instructions(prompt, tools=dialect.tools), list(build_turns(prompt))

        stream = self._stream(
            prompt, build, estimate_prompt_tokens(prompt), turn.ending, tools=True, session=prompt.tools
        )
        async with aclosing(stream) as chunks:
            async for chunk in chunks:
                if text := turn.add(turn.citations.feed(turn.reply.feed(chunk))):
                    yield text
        if text := turn.add(turn.citations.feed(turn.reply.finish()) + turn.citations.finish()):
            yield text

    async def write(self, task: WritingTask) -> str:
        """Return a text for an operator, without reasoning and marks of the model. Raises AiEngineError, CapReached."""
        reply, ending = ReplyFilter(), _Ending()
        parts: list[str] = []

        def build(_: Dialect) -> tuple[str, Sequence[tuple[str, str]]]:
            return task.instructions, [("user", task.material)]

        async with aclosing(self._stream(task, build, estimate_task_tokens(task), ending, tools=False)) as chunks:
            async for chunk in chunks:
                parts.append(reply.feed(chunk))
        text = "".join((*parts, reply.finish())).strip()
        reason = _find_empty_reason(reply, ending)
        if reason is not None or not text:
            raise AiEngineError(f"empty: {reason}", EMPTY_REPLIES.get(reason or "", EMPTY_REPLIES["blank"]), "empty")
        return f"{text} …" if ending.finish_reason in _CUT else text

    async def embed(self, model: str, texts: Sequence[str], meter: Meter, prices: AiPrices) -> list[list[float]]:
        """A vector for each text. Raises AiEngineError, CapReached."""
        estimate = sum(map(estimate_tokens, texts))
        await meter.reserve(estimate)
        try:
            response = await self.sdk.embeddings.create(model=model, input=list(texts), encoding_format="float")
        except (EndpointRejected, OpenAIError, httpx2.HTTPError) as exc:
            error = AiEngineError(_describe(exc), *explain_failure(exc))
            meter.count(TokenUsage(embedding=estimate if error.code in _MAY_HAVE_COST else 0), model, prices)
            raise error from None
        usage = read_usage(response.usage)
        meter.count(TokenUsage(embedding=estimate if usage is None else usage.total), model, prices)
        await meter.charge_excess()
        rows = [row.embedding for row in sorted(response.data or (), key=lambda row: row.index)]
        if len(rows) != len(texts) or not rows[0] or len({len(row) for row in rows}) != 1:
            raise AiEngineError("not a vector for each text", "The AI endpoint gave no embeddings.", "no_embeddings")
        return rows

    async def _stream(
        self,
        task: Prompt | WritingTask,
        build: _BuildMessages,
        input_tokens: int,
        ending: _Ending,
        *,
        tools: bool,
        session: ToolSession | None = None,
    ) -> AsyncGenerator[str, None]:
        """Yield the endpoint's text in chunks. `input_tokens`: an estimate. Raises AiEngineError, CapReached."""
        await task.meter.reserve(input_tokens + self._max_reply_tokens(task.site))
        request = partial(self._request, task, build, tools=tools, session=session)
        cost = _Cost(TokenUsage(input_tokens))
        try:
            async with aclosing(self._receive(request, cost, ending)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except (EndpointRejected, OpenAIError, httpx2.HTTPError) as exc:
            error = AiEngineError(_describe(exc), *explain_failure(exc))
            if error.code not in _MAY_HAVE_COST:
                cost.usage = TokenUsage()
            raise error from None
        finally:
            task.meter.count(cost.usage, self.find_model(task.site), task.site.prices)
        await task.meter.charge_excess()

    async def _receive(
        self, request: Callable[[], Awaitable[Any]], cost: _Cost, ending: _Ending
    ) -> AsyncGenerator[str, None]:
        response = await request()
        if isinstance(response, ChatCompletion):
            for choice in (response.choices or [])[:1]:
                yield cost.read_text(ending.read(choice.message, choice.finish_reason))
            cost.read(response.usage)
            return
        async with response:
            async for event in response:
                # The SDK does not validate what it parses: any of these may be missing.
                for choice in event.choices or []:
                    if not choice.index:
                        yield cost.read_text(ending.read(choice.delta, choice.finish_reason))
                cost.read(event.usage)

    async def _request(
        self, task: Prompt | WritingTask, build: _BuildMessages, *, tools: bool, session: ToolSession | None
    ) -> Any:
        """The endpoint's response to a prompt."""
        site, defaults = task.site, self._defaults
        site_ai = site.ai

        def build_parameters(dialect: Dialect) -> dict[str, Any]:
            instructions, turns = build(dialect)
            return dialect.build_parameters(
                instructions=instructions,
                turns=turns,
                tools=tools,
                session=session,
                images=task.images if isinstance(task, Prompt) and site.sees_images else (),
                temperature=defaults.temperature if site_ai.temperature is None else site_ai.temperature,
                max_tokens=self._max_reply_tokens(site),
            )

        return await self.send(
            site, build_parameters, site_ai.seconds or defaults.idle_timeout_seconds, retry=task.retry
        )

    def _max_reply_tokens(self, site: SiteSettings) -> int:
        return site.ai.answer_tokens or self._defaults.max_reply_tokens

    def find_model(self, site: SiteSettings) -> str:
        return site.model or self._defaults.model

    def find_dialect(self, site: SiteSettings) -> Dialect:
        """What is known of the site's model: from refusals, or from the last check."""
        learned = self._dialects.get(self.find_model(site))
        if learned is not None:
            return learned
        check = site.ai_check
        return Dialect.from_document(check.dialect) if check and check.model == self.find_model(site) else Dialect()

    async def send(
        self,
        site: SiteSettings,
        build_parameters: Callable[[Dialect], dict[str, Any]],
        timeout_seconds: float,
        *,
        retry: bool = True,
    ) -> Any:
        """The endpoint's response. A parameter that it refuses is left out or renamed from the next request on."""
        model = self.find_model(site)
        sdk = self.sdk if retry else self.sdk.with_options(max_retries=0)
        while True:
            dialect = self.find_dialect(site)
            parameters = build_parameters(dialect)
            try:
                return await sdk.chat.completions.create(model=model, timeout=timeout_seconds, **parameters)
            except APIStatusError as exc:
                if exc.status_code not in REFUSED_PARAMETER_STATUSES + TOOLS_REFUSED_STATUSES:
                    raise
                learned = learn_from_refusal(dialect, exc.status_code, exc.body, parameters)
                if learned is None:
                    raise
                log.info("ai_parameter_refused", model=model[:60], dialect=repr(learned))
                self.remember(site, learned)

    def remember(self, site: SiteSettings, dialect: Dialect) -> None:
        model = self.find_model(site)
        self._dialects.pop(model, None)
        self._dialects[model] = dialect
        while len(self._dialects) > _MAX_DIALECTS:
            del self._dialects[next(iter(self._dialects))]

    async def close(self) -> None:
        await self.sdk.close()


@dataclass(slots=True)
class _Cost:
    """What a request has cost: as the endpoint reports it, or else as estimated."""

    usage: TokenUsage
    characters: int = 0
    reported: bool = False

    def read_text(self, text: str) -> str:
        """Count a part of the reply, and return it."""
        self.characters += len(text)
        if not self.reported:
            self.usage = replace(self.usage, output=estimate_length(self.characters))
        return text

    def read(self, reported: Any) -> None:
        usage = read_usage(reported)
        if usage is not None:
            self.usage, self.reported = usage, True


@dataclass(slots=True)
class _Ending:
    """What the parts of a reply contained besides their text."""

    finish_reason: str | None = None
    refused: bool = False
    called_tool: bool = False
    calls: CallCollector = field(default_factory=CallCollector)
    thought: bool = False

    def read(self, part: Any, finish_reason: str | None) -> str:
        """The text of a part: a delta of a stream, or a message."""
        self.finish_reason = finish_reason or self.finish_reason
        if part is None:
            return ""
        self.refused = self.refused or bool(getattr(part, "refusal", None))
        calls = part.tool_calls if isinstance(part.tool_calls, list) else []
        for call in [*calls, getattr(part, "function_call", None)]:
            self.called_tool = self.called_tool or call is not None
            if call is not None:
                self.calls.read(call)
        self.thought = self.thought or any(getattr(part, name, None) for name in _THOUGHT_FIELDS)
        content = part.content
        if isinstance(content, list):
            # Some endpoints send typed parts; those that are not text are thoughts, citations, or media.
            texts = (item.get("text") for item in content if isinstance(item, dict) and item.get("type") == "text")
            content = "".join(text for text in texts if isinstance(text, str))
        return content if isinstance(content, str) else ""


@dataclass(slots=True)
class _Turn:
    """One request to the model, and what it says and calls in reply."""

    reply: ReplyFilter = field(default_factory=ReplyFilter)
    citations: CitationFilter = field(default_factory=CitationFilter)
    ending: _Ending = field(default_factory=_Ending)
    text: list[str] = field(default_factory=list)
    separator: str = ""
    """Between what it has said before it called tools, and what it says now."""

    def add(self, text: str) -> str:
        """The text to show."""
        if not text:
            return ""
        self.text.append(text)
        separator, self.separator = self.separator, ""
        return f"{separator}{text.lstrip() if separator else text}"

    @property
    def requests(self) -> list[ToolRequest]:
        """The calls to carry out: none if the model says that it has no answer."""
        requests = self.ending.calls.requests()
        return [] if any(NO_ANSWER_TOOL in request.name for request in requests) else requests


def _find_empty_reason(reply: ReplyFilter, ending: _Ending) -> EmptyReason | None:
    """Why the reply is no answer; None if it is one."""
    if reply.marker_found or any(NO_ANSWER_TOOL in name for name in ending.calls.names):
        return "no_answer"
    if ending.refused:
        return "refusal"
    if ending.finish_reason == "content_filter":
        return "content_filter"
    if reply.has_content:
        return None
    if ending.finish_reason == "length":
        return "length"
    if ending.called_tool or reply.called_tool or ending.finish_reason in ("tool_calls", "function_call"):
        return "tool_call"
    return "thoughts" if ending.thought or reply.contained_reasoning else "blank"


def read_usage(usage: Any) -> TokenUsage | None:
    """The tokens that the endpoint reports, if they are plausible: the SDK does not validate them."""
    total = getattr(usage, "total_tokens", None)
    if not isinstance(total, int) or not 0 <= total <= _MAX_REPORTED_TOKENS:
        return None
    output = getattr(usage, "completion_tokens", None)
    output = output if isinstance(output, int) and 0 <= output <= total else 0
    return TokenUsage(total - output, output)


def _describe(exc: Exception) -> str:
    """The kind of a failure, without the endpoint's own words: they may quote the key that it refuses."""
    if isinstance(exc, APIStatusError):
        return f"{type(exc).__name__} {exc.status_code}"
    if isinstance(exc, EndpointRejected):
        return f"{type(exc).__name__} {exc}"
    cause = exc.__cause__
    return type(exc).__name__ + (f" after {type(cause).__name__}" if cause is not None else "")
