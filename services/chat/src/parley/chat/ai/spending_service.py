"""What a site's AI has used today, for its managers."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.ai.metering import Limits, SpentToday, TokenBudget
from parley.chat.sites.service import SiteService
from parley.chat.sites.site_settings import SiteSettings
from parley.common.auth.identity import OperatorCaller


@dataclass(frozen=True, slots=True)
class SpendingService:
    sites: SiteService
    budget: TokenBudget

    async def get_today(self, caller: OperatorCaller, site_id: int) -> tuple[SiteSettings, SpentToday]:
        """Raises SiteNotFound, Forbidden."""
        site = (await self.sites.get(caller, site_id)).settings
        return site, await self.budget.read(site_id, Limits.from_site(site))
