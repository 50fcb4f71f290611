"""The configured engines as one: tried in order, each behind a circuit breaker, each call with a timeout."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from parley.common.observability import tracing
from parley.common.observability.logging import get_logger
from parley.common.observability.tracing import Attributes, SpanKind
from parley.common.texts import shows_something
from parley.translate import metrics
from parley.translate.engines.circuit_breaker import CircuitBreaker
from parley.translate.engines.model import EngineError, FailureReason, NoTranslation
from parley.translate.engines.ports import CharacterQuota, Engine
from parley.translate.site_options import SiteOptions
from parley.translate.timeouts import AUTH_PAUSE_SECONDS, LANGUAGE_LIST_TTL_SECONDS, QUOTA_PAUSE_SECONDS

log = get_logger(__name__)

_MAX_EXPANSION = 10
"""A Chinese character may become a word, but hardly a sentence."""
_MAX_ADDED_CHARACTERS = 200


class EngineChain:
    """Implements `TextTranslator`: calls a site's engines in order until one translates.

    An engine that fails is skipped for a while.
    """

    name = "engines"

    def __init__(self, engines: Sequence[Engine], quota: CharacterQuota, *, call_timeout_seconds: float) -> None:
        self._engines: Mapping[str, Engine] = {engine.name: engine for engine in engines}
        self._breakers = {engine.name: CircuitBreaker() for engine in engines}
        self._languages_expire_at: dict[str, float] = {}
        self._quota = quota
        self._call_timeout_seconds = call_timeout_seconds

    def supports(self, source: str | None, target: str) -> bool:
        """Return whether any engine can translate the pair."""
        return any(engine.supports(source, target) for engine in self._engines.values())

    async def translate(
        self, site_id: int, options: SiteOptions, texts: Sequence[str], source: str | None, target: str
    ) -> Sequence[str]:
        """Return the translations of the first engine that succeeds. Raises NoTranslation."""
        unsupported = True
        for engine in self._in_order(options):
            if not engine.supports(source, target):
                continue
            breaker = self._breakers[engine.name]
            if not breaker.allow_request(time.monotonic()):
                unsupported = False
                continue
            try:
                if not await self._charge(engine, site_id, options, texts):
                    breaker.cancel_trial()
                    unsupported = False
                    continue
                return await self._call(engine, texts, source, target)
            except EngineError as exc:
                unsupported = unsupported and exc.reason is FailureReason.UNSUPPORTED
                if engine.paid and exc.reason is not FailureReason.SLOW:
                    # A call that timed out may have been completed and charged.
                    await self._quota.refund(site_id, _total_length(texts))
            except BaseException:
                # Cancelled, or the quota cannot be read: it says nothing about the engine.
                breaker.cancel_trial()
                raise
        raise NoTranslation(unsupported=unsupported)

    async def refresh(self) -> None:
        """Load the languages of engines whose list is missing or outdated. On failure, the last list stays in use."""
        for engine in self._engines.values():
            if time.monotonic() < self._languages_expire_at.get(engine.name, 0.0):
                continue
            try:
                async with asyncio.timeout(self._call_timeout_seconds):
                    await engine.refresh()
                self._languages_expire_at[engine.name] = time.monotonic() + LANGUAGE_LIST_TTL_SECONDS
            except (EngineError, TimeoutError) as exc:
                log.warning("engine_language_list_failed", engine=engine.name, error=repr(exc)[:200])

    async def start(self) -> None:
        """Do nothing: engines connect on their first call."""

    async def stop(self) -> None:
        for engine in self._engines.values():
            await engine.close()

    def unready_reason(self) -> str | None:
        """Return None: without engines, everything else still works."""
        return None

    def _in_order(self, options: SiteOptions) -> list[Engine]:
        return [self._engines[name] for name in options.engines if name in self._engines]

    async def _charge(self, engine: Engine, site_id: int, options: SiteOptions, texts: Sequence[str]) -> bool:
        if not engine.paid:
            return True
        if await self._quota.charge(site_id, _total_length(texts), options.daily_characters):
            return True
        metrics.QUOTA_EXCEEDED.inc()
        log.warning("translation_quota_exceeded", site_id=site_id, engine=engine.name)
        return False

    async def _call(self, engine: Engine, texts: Sequence[str], source: str | None, target: str) -> Sequence[str]:
        """Call an engine, and record the result in its breaker and in the metrics. Raises EngineError."""
        started = time.monotonic()
        try:
            translations = await self._call_with_timeout(engine, texts, source, target)
        except EngineError as exc:
            self._record_failure(engine, exc)
            raise
        finally:
            metrics.ENGINE_SECONDS.labels(engine.name).observe(time.monotonic() - started)
        breaker = self._breakers[engine.name]
        breaker.record_success()
        metrics.BREAKER.labels(engine.name).set(breaker.state)
        metrics.ENGINE_CALLS.labels(engine.name, "done").inc()
        metrics.CHARACTERS.labels(engine.name).inc(_total_length(texts))
        return translations

    async def _call_with_timeout(
        self, engine: Engine, texts: Sequence[str], source: str | None, target: str
    ) -> Sequence[str]:
        try:
            with tracing.span(f"translate by {engine.name}", SpanKind.CLIENT, _span_attributes(engine, source, target)):
                async with asyncio.timeout(self._call_timeout_seconds):
                    translations = await engine.translate(texts, source, target)
        except TimeoutError as exc:
            raise EngineError(FailureReason.SLOW) from exc
        if len(translations) != len(texts):
            raise EngineError(FailureReason.OUTAGE, "the number of translations differs from the number of texts")
        for text, translation in zip(texts, translations, strict=True):
            if not shows_something(translation):
                raise EngineError(FailureReason.OUTAGE, "a translation is empty")
            if len(translation) > _MAX_EXPANSION * len(text) + _MAX_ADDED_CHARACTERS:
                raise EngineError(FailureReason.OUTAGE, "a translation is far longer than its text")
        return translations

    def _record_failure(self, engine: Engine, error: EngineError) -> None:
        breaker = self._breakers[engine.name]
        now = time.monotonic()
        match error.reason:
            case FailureReason.UNSUPPORTED | FailureReason.REFUSED:
                # The engine works; only this call was not possible.
                breaker.record_success()
            case FailureReason.QUOTA:
                breaker.open(now, QUOTA_PAUSE_SECONDS)
            case FailureReason.AUTH:
                breaker.open(now, AUTH_PAUSE_SECONDS)
            case _:
                breaker.record_failure(now)
        metrics.BREAKER.labels(engine.name).set(breaker.state)
        metrics.ENGINE_CALLS.labels(engine.name, error.reason.value).inc()
        log.warning("engine_call_failed", engine=engine.name, reason=error.reason.value, detail=str(error)[:200])


def _span_attributes(engine: Engine, source: str | None, target: str) -> Attributes:
    return {"peer.service": engine.name, "parley.source": source or "auto", "parley.target": target}


def _total_length(texts: Sequence[str]) -> int:
    return sum(map(len, texts))
