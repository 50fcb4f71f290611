"""Checks a site's AI endpoint on behalf of a manager, and remembers what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from parley.chat import metrics
from parley.chat.ai import timeouts
from parley.chat.ai.engine import AiEngineError
from parley.chat.ai.errors import CheckTooSoon, NoEndpoint, TokenLimitReached
from parley.chat.ai.metering import CapReached, Limits, Meter, Spender, TokenBudget
from parley.chat.ai.site_ai_settings import AiSettingsService
from parley.chat.ai.usage import TokenUsage
from parley.chat.audit.service import AuditService
from parley.chat.sites.engine_check import CheckStep, EngineCheck
from parley.chat.sites.ports import SiteRepository
from parley.chat.sites.service import SiteService
from parley.chat.sites.site_settings import SiteSettings
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import ValidationFailed
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import Clock

log = get_logger(__name__)

CHECK_TOKENS = 6000
"""The most that a check may cost: a handful of short requests, one with an image."""


class EndpointChecker(Protocol):
    def is_available_for(self, site: SiteSettings) -> bool: ...

    async def check(self, site: SiteSettings, at: datetime) -> EngineCheck:
        """Raises AiEngineError if the site's key cannot be decrypted."""


@dataclass(frozen=True, slots=True)
class EngineDoctor:
    sites: SiteService
    repository: SiteRepository
    settings: AiSettingsService
    checker: EndpointChecker
    budget: TokenBudget
    audit: AuditService
    clock: Clock

    async def check(
        self, caller: OperatorCaller, site_id: int, changes: Mapping[str, Any], engine_id: str | None = None
    ) -> EngineCheck:
        """Check the stored settings with changes, which are not stored: `model`, and fields of AiSettings or `api_key`.

        `engine_id`: of a fallback, if it is not the first engine that is checked.

        The result is remembered if there are no changes. Raises NotFound, Forbidden, ValidationFailed, NoEndpoint,
        CheckTooSoon, TokenLimitReached.
        """
        site = _find_engine((await self.sites.get(caller, site_id)).settings, engine_id)
        fields = {name: value for name, value in changes.items() if name != "model"}
        ai = self.settings.change(site_id, site.ai, fields)
        tried = replace(site, ai=ai, model=changes.get("model", site.model) or None)
        if not self.checker.is_available_for(tried):
            raise NoEndpoint
        if not await self.repository.claim_ai_check(site_id, self.clock(), timeouts.CHECK_INTERVAL_SECONDS):
            raise CheckTooSoon(int(timeouts.CHECK_INTERVAL_SECONDS))
        check = await self._run(tried)
        is_stored = tried.checked_selection == site.checked_selection
        if is_stored:
            await self.repository.record_ai_check(site, check)
        failure = check.failure
        metrics.AI_CHECKS.labels(failure.code if failure else "ok").inc()
        details = {"result": failure.code if failure else "ok", "tokens": check.tokens, "stored": is_stored}
        host = urlsplit(ai.base_url).netloc if ai.base_url else ""
        details |= {"host": host} if host else {}
        await self.audit.record(caller, "chatbot.checked", f"site:{site_id}", site_id, details)
        return check

    async def _run(self, site: SiteSettings) -> EngineCheck:
        meter = Meter(self.budget, Spender(site.id), Limits.from_site(site))
        try:
            await meter.reserve(CHECK_TOKENS)
            check = await self.checker.check(site, self.clock())
            meter.count(TokenUsage(check.tokens))
        except CapReached:
            raise TokenLimitReached(self.clock()) from None
        except AiEngineError as exc:
            step = CheckStep("key", "failed", exc.code, exc.reason)
            check = EngineCheck(self.clock(), site.model or "", (step,))
        finally:
            await meter.settle()
        log.info(
            "ai_endpoint_checked", site_id=site.id, tokens=check.tokens, failure=check.failure and check.failure.code
        )
        return check


def _find_engine(site: SiteSettings, engine_id: str | None) -> SiteSettings:
    if engine_id is None:
        return site
    for one in site.list_engines():
        if one.engine_id == engine_id:
            return one
    raise ValidationFailed({"engine": "is not an engine of this site"})
