"""Tokens of requests to models, and what they have cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from parley.chat.sites.chatbot import AiPrices

_BILLIONTHS = 10**9
_BILLIONTHS_PER_MILLIONTH = 1000


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of a request to a model: of the prompt and the reply to it, or of embedded texts."""

    input: int = 0
    output: int = 0
    embedding: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output + self.embedding

    def __add__(self, other: TokenUsage) -> TokenUsage:
        return TokenUsage(self.input + other.input, self.output + other.output, self.embedding + other.embedding)


@dataclass(frozen=True, slots=True)
class EngineUsage:
    """What one engine was used for."""

    engine: str
    """The name of its model."""
    tokens: TokenUsage
    cost: int | None
    """In billionths of the site's currency; None if a price was not known."""

    def __add__(self, other: EngineUsage) -> EngineUsage:
        cost = None if self.cost is None or other.cost is None else self.cost + other.cost
        return EngineUsage(self.engine, self.tokens + other.tokens, cost)


def to_amount(billionths: float) -> float:
    """In the currency."""
    return round(billionths / _BILLIONTHS, 9)


def merge(*usages: Iterable[EngineUsage]) -> tuple[EngineUsage, ...]:
    """The sum for each engine."""
    merged: dict[str, EngineUsage] = {}
    for usage in usages:
        for one in usage:
            merged[one.engine] = merged[one.engine] + one if one.engine in merged else one
    return tuple(merged.values())


def sum_up(usage: Iterable[EngineUsage]) -> EngineUsage:
    """The sum of all engines, without a name."""
    return sum((replace(one, engine="") for one in usage), EngineUsage("", TokenUsage(), 0))


def cost_of(tokens: TokenUsage, prices: AiPrices) -> int | None:
    """In billionths of the currency: an embedded question costs less than a millionth. None if a price is not known."""
    parts = ((tokens.input, prices.input), (tokens.output, prices.output), (tokens.embedding, prices.embedding))
    if any(count and price is None for count, price in parts):
        return None
    return round(sum(count * (price or 0) for count, price in parts) * _BILLIONTHS_PER_MILLIONTH)
