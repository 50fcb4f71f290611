"""What a text of the AI costs: reserved before each request to a model, and counted after it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal, Protocol

from parley.chat.ai.usage import EngineUsage, TokenUsage, cost_of, merge
from parley.chat.sites.chatbot import AiCaps, AiPrices
from parley.chat.sites.site_settings import SiteSettings

Cap = Literal["site", "address", "session", "conversation", "site_tokens", "address_tokens", "session_tokens"]
"""What is used up for today: replies, or tokens, of whom."""

_NO_CAPS = AiCaps(site=None, address=None, session=None, conversation=None)
_NO_PRICES = AiPrices()


class CapReached(Exception):
    """A request to a model was not made, as it could exceed a cap. Nothing of it was counted."""

    def __init__(self, cap: Cap) -> None:
        super().__init__(cap)
        self.cap: Cap = cap


@dataclass(frozen=True, slots=True)
class Spender:
    """For whom a text is generated: a visitor's session on a site, and the client IP they write from, if known.

    Without a session: an operator of the site, whom only the site's limits concern.
    """

    site_id: int
    session: str = ""
    client_ip: str = ""
    conversation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a site's settings allow per day (UTC), besides what the installation allows."""

    tokens: int | None = None
    caps: AiCaps = _NO_CAPS

    @classmethod
    def from_site(cls, site: SiteSettings) -> Limits:
        return cls(site.ai.daily_tokens, site.caps)


@dataclass(frozen=True, slots=True)
class Reservation:
    """Tokens and replies that were counted before a request, and the counters they are in."""

    keys: tuple[str, ...]
    tokens: int
    replies: int = 0
    estimate: int = 0
    """The tokens that were asked for: fewer than are reserved where requests have cost more than was estimated."""
    site_id: int = 0


@dataclass(frozen=True, slots=True)
class SpentToday:
    """What a site has used of a day (UTC), with what is reserved at present."""

    day: date
    tokens: int
    replies: int
    token_limit: int | None
    """The site's own or the installation's, whichever is less."""


class TokenBudget(Protocol):
    """Replies, and tokens used, per day (UTC), over all replicas."""

    async def reserve(self, spender: Spender, limits: Limits, tokens: int, replies: int = 0) -> Reservation:
        """Count the most that a request may cost. Raises CapReached, and then has counted nothing.

        More than `tokens` is reserved where the site's requests have lately cost more than was estimated. Tokens are
        limited for the site, by its own limit and the installation's, and by the shares of both for a session and a
        client IP.
        """

    async def charge(self, reservation: Reservation, tokens: int) -> None:
        """Count tokens that were used beyond a reservation, whether the limits allow them or not."""

    async def settle(self, reservation: Reservation, tokens: int, replies: int = 0) -> None:
        """Replace a reservation by what was used, and learn from it how much to reserve."""

    async def read(self, site_id: int, limits: Limits) -> SpentToday: ...


@dataclass(slots=True)
class Meter:
    """Counts what one text costs, over all requests for it; with a budget, nothing is requested before it is reserved.

    Call `settle` at the end, also after a failure.
    """

    budget: TokenBudget | None = None
    spender: Spender = field(default_factory=lambda: Spender(0))
    limits: Limits = field(default_factory=Limits)
    replies: int = 0
    """As how many replies the text counts: 0 for what no visitor has asked for, and for one that failed."""
    engines: tuple[EngineUsage, ...] = ()
    """What each engine was used for."""
    _held: Reservation | None = None

    async def reserve(self, tokens: int) -> None:
        """Reserve the most that the next request may cost. Raises CapReached."""
        if self.budget is None:
            return
        if self._held is None:
            self._held = await self.budget.reserve(self.spender, self.limits, tokens, self.replies)
            return
        missing = self.usage.total + tokens - self._held.tokens
        if missing > 0:
            more = await self.budget.reserve(self.spender, self.limits, missing)
            tokens, estimate = self._held.tokens + more.tokens, self._held.estimate + more.estimate
            self._held = replace(self._held, tokens=tokens, estimate=estimate)

    def count(self, tokens: TokenUsage, engine: str = "", prices: AiPrices = _NO_PRICES) -> None:
        """Add what a request has used. `engine`: the name of the model."""
        if tokens.total:
            self.engines = merge(self.engines, [EngineUsage(engine, tokens, cost_of(tokens, prices))])

    async def charge_excess(self) -> None:
        """Count at once what requests have used beyond the reservation: other replicas then make no further ones."""
        if self.budget is None or self._held is None:
            return
        excess = self.usage.total - self._held.tokens
        if excess > 0:
            await self.budget.charge(self._held, excess)
            self._held = replace(self._held, tokens=self._held.tokens + excess)

    @property
    def usage(self) -> TokenUsage:
        return sum((one.tokens for one in self.engines), TokenUsage())

    async def settle(self) -> None:
        """Give back what was reserved and not used."""
        if self.budget is not None and self._held is not None:
            held, self._held = self._held, None
            await self.budget.settle(held, self.usage.total, self.replies)
