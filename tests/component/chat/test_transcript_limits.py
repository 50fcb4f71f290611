"""The daily limits of transcripts by e-mail."""

from __future__ import annotations

import asyncio

from parley.chat.transcripts.repository import MongoDailyLimits
from parley.common.runtime.clock import utc_now
from support.admin_app import AdminTestApp


async def test_requests_at_the_same_moment_pass_no_limit_together(app: AdminTestApp) -> None:
    """A25: of twenty requests at the same moment five are counted, and those that were refused count nowhere."""
    limits = MongoDailyLimits(app.mongo, utc_now)
    for name, counters in (("a", {"address:a": 5, "site:a": 1000}), ("b", {"site:b": 1000, "address:b": 5})):
        taken = await asyncio.gather(*(limits.acquire(counters) for _ in range(20)))
        assert taken.count(True) == 5
        stored = await app.mongo["transcript_counts"].find_one({"_id": f"site:{name}"})
        assert stored is not None
        assert stored["count"] == 5
