"""Translation engines behind one port: tried in order, each behind a breaker, within a deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from parley.common.observability import tracing
from parley.common.observability.logging import logger
from parley.common.observability.tracing import Attributes, Kind
from parley.translate import metrics
from parley.translate.engines.circuit_breaker import Breaker

log = logger(__name__)

_QUOTA_SECONDS = 60.0
_AUTH_SECONDS = 300.0
_LISTED_SECONDS = 3600.0


class Reason(StrEnum):
    """Why an engine did not translate."""

    QUOTA = "quota"
    AUTH = "auth"
    UNSUPPORTED = "unsupported"
    REFUSED = "refused"
    """It would not take this text; the next one may be fine."""
    OUTAGE = "outage"
    SLOW = "slow"


class EngineFault(Exception):
    """An engine did not translate, and why. Carries no text of visitors."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        super().__init__(f"{reason}: {detail}" if detail else str(reason))


class Engine(Protocol):
    """One way to translate. `paid` engines count against a site's daily characters."""

    name: str
    paid: bool

    async def translate(self, texts: Sequence[str], source: str | None, target: str) -> list[str]:
        """Each text in the target language, in order; a source of None is found by the engine. Raises EngineFault."""

    def supports(self, source: str | None, target: str) -> bool:
        """Whether it can do the pair, as far as it is known: what it could not be asked yet counts as yes.
        With a source of None, whether it can do any pair with that target."""

    async def refresh(self) -> None:
        """Ask it for its languages. Raises EngineFault."""

    async def close(self) -> None:
        """Let go of connections and threads."""


class Budget(Protocol):
    """A site's characters of today."""

    async def spend(self, site_id: int, characters: int, limit: int) -> bool:
        """Take them from the day's limit; False, and nothing taken, where it would go over. 0 is no limit."""

    async def give_back(self, site_id: int, characters: int) -> None:
        """An engine that failed has charged nothing."""


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """What a site may choose: engines in its order, words never translated, characters a day (0: no limit)."""

    engines: tuple[str, ...]
    glossary: tuple[str, ...]
    daily_characters: int


@dataclass(frozen=True, slots=True)
class Translated:
    """What an engine made, and which."""

    texts: tuple[str, ...]
    engine: str


class NoTranslation(Exception):
    """No engine translated. `unsupported` where none of them can do the pair at all."""

    def __init__(self, *, unsupported: bool) -> None:
        self.unsupported = unsupported
        super().__init__("unsupported" if unsupported else "failed")


class Engines:
    """The configured engines. One that fails is left alone for a while; the next in the order takes over."""

    name = "engines"

    def __init__(self, engines: Sequence[Engine], budget: Budget, *, call_seconds: float) -> None:
        self._engines: Mapping[str, Engine] = {engine.name: engine for engine in engines}
        self._breakers = {engine.name: Breaker() for engine in engines}
        self._listed_until: dict[str, float] = {}
        self._budget = budget
        self._call_seconds = call_seconds

    def can(self, source: str | None, target: str) -> bool:
        """Whether any engine can do the pair."""
        return any(engine.supports(source, target) for engine in self._engines.values())

    async def translate(
        self, site_id: int, options: SiteOptions, texts: Sequence[str], source: str | None, target: str
    ) -> Translated:
        """The texts by the first engine that manages. Raises NoTranslation."""
        unsupported = True
        for engine in self._in_order(options):
            if not engine.supports(source, target):
                continue
            breaker = self._breakers[engine.name]
            if not breaker.admits(time.monotonic()):
                unsupported = False
                continue
            if not await self._afford(engine, site_id, options, texts):
                breaker.pardon()
                unsupported = False
                continue
            try:
                return Translated(await self._call(engine, texts, source, target), engine.name)
            except EngineFault as fault:
                unsupported = unsupported and fault.reason is Reason.UNSUPPORTED
                if engine.paid and fault.reason is not Reason.SLOW:
                    # Who is only slow may have translated and charged all the same.
                    await self._budget.give_back(site_id, _length(texts))
            except asyncio.CancelledError:
                breaker.pardon()
                raise
        raise NoTranslation(unsupported=unsupported)

    def _in_order(self, options: SiteOptions) -> list[Engine]:
        return [self._engines[name] for name in options.engines if name in self._engines]

    async def _afford(self, engine: Engine, site_id: int, options: SiteOptions, texts: Sequence[str]) -> bool:
        if not engine.paid:
            return True
        if await self._budget.spend(site_id, _length(texts), options.daily_characters):
            return True
        metrics.OVER_BUDGET.inc()
        log.warning("translation_budget_spent", site_id=site_id, engine=engine.name)
        return False

    async def _call(self, engine: Engine, texts: Sequence[str], source: str | None, target: str) -> tuple[str, ...]:
        """One call, timed and counted, and its lesson for the breaker. Raises EngineFault."""
        breaker = self._breakers[engine.name]
        started = time.monotonic()
        try:
            with tracing.span(f"translate by {engine.name}", Kind.CLIENT, _attributes(engine, source, target)):
                async with asyncio.timeout(self._call_seconds):
                    made = tuple(await engine.translate(texts, source, target))
            if len(made) != len(texts):
                raise EngineFault(Reason.OUTAGE, "another number of texts came back")
        except TimeoutError as exc:
            fault = EngineFault(Reason.SLOW)
            self._learn(engine, breaker, fault)
            raise fault from exc
        except EngineFault as fault:
            self._learn(engine, breaker, fault)
            raise
        finally:
            metrics.ENGINE_SECONDS.labels(engine.name).observe(time.monotonic() - started)
        breaker.succeeded()
        metrics.BREAKER.labels(engine.name).set(breaker.state)
        metrics.ENGINE_CALLS.labels(engine.name, "done").inc()
        metrics.CHARACTERS.labels(engine.name).inc(_length(texts))
        return made

    def _learn(self, engine: Engine, breaker: Breaker, fault: EngineFault) -> None:
        now = time.monotonic()
        match fault.reason:
            case Reason.UNSUPPORTED | Reason.REFUSED:
                breaker.succeeded()
            case Reason.QUOTA:
                breaker.open(now, _QUOTA_SECONDS)
            case Reason.AUTH:
                breaker.open(now, _AUTH_SECONDS)
            case _:
                breaker.failed(now)
        metrics.BREAKER.labels(engine.name).set(breaker.state)
        metrics.ENGINE_CALLS.labels(engine.name, fault.reason.value).inc()
        log.warning("engine_did_not_translate", engine=engine.name, reason=fault.reason.value, detail=str(fault)[:200])

    async def start(self) -> None:
        """They are called when there is something to translate."""

    def fault(self) -> str | None:
        """Engines that are away keep nothing else from working."""
        return None

    async def refresh(self) -> None:
        """Ask the engines for their languages, each once an hour; one that does not say keeps what it last said."""
        for engine in self._engines.values():
            if time.monotonic() < self._listed_until.get(engine.name, 0.0):
                continue
            try:
                async with asyncio.timeout(self._call_seconds):
                    await engine.refresh()
                self._listed_until[engine.name] = time.monotonic() + _LISTED_SECONDS
            except (EngineFault, TimeoutError) as exc:
                log.warning("engine_did_not_list_its_languages", engine=engine.name, error=repr(exc)[:200])

    async def stop(self) -> None:
        for engine in self._engines.values():
            await engine.close()


def _attributes(engine: Engine, source: str | None, target: str) -> Attributes:
    return {"peer.service": engine.name, "parley.source": source or "auto", "parley.target": target}


def _length(texts: Sequence[str]) -> int:
    return sum(map(len, texts))
