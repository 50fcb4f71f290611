"""How long a crawler waits between two requests to a server."""

from __future__ import annotations

from datetime import timedelta

import pytest

from parley.chat.knowledge_sources.model import Validators
from parley.chat.knowledge_sources.ports import FetchedPage, Visit
from parley.chat.knowledge_sources.robots import RobotsRules
from parley.chat.timeouts import MAX_CRAWL_DELAY

PAUSE = timedelta(seconds=1)


class Server:
    """A website's robots.txt."""

    def __init__(self, robots: str) -> None:
        self.robots = robots

    async def fetch(
        self, url: str, visit: Visit, *, validators: Validators | None = None, max_bytes: int
    ) -> FetchedPage:
        return FetchedPage(url, self.robots.encode(), "text/plain")


@pytest.mark.parametrize(
    ("delay", "pause"),
    [("2.5", timedelta(seconds=2.5)), ("60", MAX_CRAWL_DELAY), ("1e300", MAX_CRAWL_DELAY), ("soon", PAUSE)],
)
async def test_a_website_sets_the_pause_within_a_limit(delay: str, pause: timedelta) -> None:
    rules = RobotsRules(Server(f"User-agent: *\nCrawl-delay: {delay}\n"), PAUSE)
    assert await rules.visit("https://example.com/page") == pause
