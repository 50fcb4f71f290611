"""A site's engines in their order: what the first one fails to answer, the next one answers.

Only before the first word and the first call of a tool: after it, another engine could contradict what the visitor has
read, or repeat the call. An engine that keeps
failing is left alone for a while (`sites/engine_state.py`), then one reply tries it again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from parley.chat import metrics
from parley.chat.ai import timeouts
from parley.chat.ai.engine import AiEngine, AiEngineError
from parley.chat.ai.model import Prompt, ReplyMetadata, WritingTask
from parley.chat.ai.ports import AiEngines, EngineStates
from parley.chat.sites.chatbot import AiError
from parley.chat.sites.site_settings import SiteSettings
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import Clock

log = get_logger(__name__)

_ABOUT_THE_PROMPT = ("request_refused", "request_too_long", "cannot_write")
"""Failures that say nothing about the next request: a visitor must not be able to turn an engine off."""


class _Candidate(NamedTuple):
    site: SiteSettings
    """The site's settings with this engine as the first one."""
    engine: AiEngine


@dataclass(frozen=True, slots=True)
class EngineChains:
    """Implements AiEngines."""

    catalog: AiEngines
    states: EngineStates
    clock: Clock

    @property
    def builtin(self) -> AiEngine:
        return self.catalog.builtin

    def get_for_site(self, site: SiteSettings) -> AiEngine:
        """Raises AiEngineError if none of the site's engines exists."""
        choices = site.list_engines()
        if len(choices) == 1:
            return self.catalog.get_for_site(site)
        candidates: list[_Candidate] = []
        unknown: AiEngineError | None = None
        for choice in choices:
            try:
                engine = self.catalog.get_for_site(choice)
            except AiEngineError as exc:
                unknown = unknown or exc
                continue
            # An engine that is not set up is replaced by the built-in one, which has its place at the end.
            if engine.name == choice.engine or choice is choices[-1]:
                candidates.append(_Candidate(choice, engine))
        if not candidates:
            raise unknown or AiEngineError("no engine is set up")
        return EngineChain(candidates, self.states, self.clock)


class UnrecordedStates:
    """EngineStates for answer tests, whose failures are none of the visitors'."""

    async def record_engine_failure(self, site: SiteSettings, error: AiError) -> None:
        """Do nothing."""

    async def record_engine_success(self, site: SiteSettings) -> None:
        """Do nothing."""

    async def claim_trial(self, site: SiteSettings, retry_at: datetime, now: datetime, seconds: float) -> bool:
        return True


class EngineChain(AiEngine):
    """Engines that stand in for one another."""

    def __init__(self, candidates: Sequence[_Candidate], states: EngineStates, clock: Clock) -> None:
        self._candidates, self._states, self._clock = candidates, states, clock
        self.name = candidates[0].engine.name  # type: ignore[misc]
        self.can_write = any(candidate.engine.can_write for candidate in candidates)  # type: ignore[misc]
        self.can_call_tools = any(one.engine.can_call_tools for one in candidates)  # type: ignore[misc]

    async def answer(self, prompt: Prompt, metadata: ReplyMetadata) -> AsyncGenerator[str, None]:
        admitted = await self._admit(self._candidates)
        for position, one in enumerate(admitted):
            has_next = position < len(admitted) - 1
            attempt, begun = ReplyMetadata(engine_id=one.site.engine_id), False
            tools = prompt.tools if one.engine.can_call_tools else None
            calls = len(tools.records) if tools else 0
            own_prompt = replace(prompt, site=one.site, tools=tools, retry=not has_next)
            try:
                async with aclosing(one.engine.answer(own_prompt, attempt)) as chunks:
                    async for chunk in chunks:
                        begun = True
                        yield chunk
            except AiEngineError as exc:
                await self._record_failure(one, exc)
                has_called = tools is not None and len(tools.records) > calls
                if begun or has_called or not has_next:
                    raise
            else:
                await self._record_success(one)
                return
            finally:
                _copy(metadata, attempt)

    async def write(self, task: WritingTask) -> str:
        admitted = await self._admit(self._writers)
        for position, one in enumerate(admitted):
            has_next = position < len(admitted) - 1
            try:
                text = await one.engine.write(replace(task, site=one.site, retry=not has_next))
            except AiEngineError as exc:
                await self._record_failure(one, exc)
                if not has_next:
                    raise
            else:
                await self._record_success(one)
                return text
        raise AiEngineError("no engine is left")

    @property
    def _writers(self) -> Sequence[_Candidate]:
        return [one for one in self._candidates if one.engine.can_write]

    async def _admit(self, candidates: Sequence[_Candidate]) -> Sequence[_Candidate]:
        """Those whose breaker is closed, or that this reply may try again; the first one if there is no such."""
        admitted = [one for one in candidates if await self._is_admitted(one)]
        if admitted[:1] != list(candidates[:1]):
            metrics.AI_FALLBACKS.labels("breaker_open").inc()
        return admitted or candidates[:1]

    async def _is_admitted(self, one: _Candidate) -> bool:
        state = one.site.engine_state
        if state is None or state.retry_at is None:
            return True
        now = self._clock()
        if now < state.retry_at:
            return False
        return await self._states.claim_trial(one.site, state.retry_at, now, timeouts.TRIAL_SECONDS)

    async def _record_failure(self, one: _Candidate, exc: AiEngineError) -> None:
        log.warning("ai_engine_failed", site_id=one.site.id, engine=one.site.engine_id, reason=exc.code)
        metrics.AI_FALLBACKS.labels(exc.code).inc()
        if exc.code not in _ABOUT_THE_PROMPT:
            error = AiError(exc.reason, exc.code, self._clock())
            await _try(lambda: self._states.record_engine_failure(one.site, error), one.site)

    async def _record_success(self, one: _Candidate) -> None:
        if one.site.engine_state is not None:
            await _try(lambda: self._states.record_engine_success(one.site), one.site)


async def _try(write: Callable[[], Any], site: SiteSettings) -> None:
    """A reply is not lost because the state of an engine could not be stored."""
    try:
        await write()
    except Exception as exc:
        log.warning("ai_engine_state_not_stored", site_id=site.id, error=repr(exc)[:300])


def _copy(metadata: ReplyMetadata, attempt: ReplyMetadata) -> None:
    metadata.knew_answer, metadata.empty_reason = attempt.knew_answer, attempt.empty_reason
    metadata.sources, metadata.quick_replies = attempt.sources, attempt.quick_replies
    metadata.engine_id = attempt.engine_id
