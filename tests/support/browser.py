"""The panel and the widget as people use them: found by what they say and what they are called, never by class."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, expect

from support.api import Operator
from support.tenants import PASSWORD

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
# What the browser itself says of requests that a test makes fail on purpose.
_NETWORK = "Failed to load resource"


@dataclass(slots=True)
class Watched:
    """A page, and whatever went wrong in it."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))
        self.page.on("console", lambda message: self._said(message))  # noqa: PLW0108 - a method of a slotted class

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and _NETWORK not in message.text:
            self.faults.append(message.text)

    async def picture(self, directory: Path, name: str) -> None:
        """Keep what is shown now."""
        await self.page.screenshot(path=directory / f"{name}.png", animations="disabled", caret="initial")

    async def findings(self, within: str | None = None) -> list[str]:
        """What axe finds that is serious, each with where it is."""
        await self.page.evaluate(AXE.read_text())
        run = "async (within) => (await axe.run(within ?? document)).violations"
        found: list[dict[str, Any]] = await self.page.evaluate(run, within)
        return [
            f"{one['id']}: {json.dumps([node['target'] for node in one['nodes']])}"
            for one in found
            if one["impact"] in SERIOUS
        ]


@dataclass(slots=True)
class Panel(Watched):
    """An operator's panel."""

    async def enter(self, base: str, operator: Operator) -> None:
        """Log in as an operator does."""
        email = (await operator.get("/auth/me")).ok()["user"]["email"]
        await self.page.goto(f"{base}/panel")
        await self.page.get_by_label("E-mail").fill(email)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.get_by_role("button", name="Log in").click()
        await expect(self.connected).to_be_visible()

    @property
    def connected(self) -> Locator:
        return self.page.get_by_title("Connected", exact=True)

    @property
    def messages(self) -> Locator:
        return self.page.get_by_role("region", name="Messages")

    @property
    def reply(self) -> Locator:
        return self.page.get_by_role("combobox", name="Reply")

    async def choose(self, name: str) -> None:
        """Show a list: Waiting, Mine or All."""
        await self.page.get_by_role("tab", name=name).click()

    async def open(self, conversation_id: int) -> None:
        await self.page.evaluate("(id) => { location.hash = `#/chats/${id}` }", conversation_id)
        await expect(self.messages).to_be_visible()

    async def say(self, text: str) -> None:
        await self.reply.fill(text)
        await self.reply.press("Enter")


@dataclass(slots=True)
class Widget(Watched):
    """A visitor's page with the widget on it."""

    async def enter(self, base: str, site_key: str) -> None:
        await self.page.goto(f"{base}/demo?site_key={site_key}")
        await self.page.get_by_role("button", name="Open chat").click()
        await expect(self.write).to_be_focused()

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def write(self) -> Locator:
        return self.page.get_by_role("textbox", name="Write a message…")

    async def say(self, text: str) -> None:
        await self.write.fill(text)
        await self.write.press("Enter")

    async def ask_for_person(self) -> None:
        await self.page.get_by_role("button", name="Talk to a person").click()


NewContext = Callable[..., Awaitable[BrowserContext]]


class People:
    """Whoever sits in front of a browser in a test; each has one of their own."""

    def __init__(self, browsers: NewContext) -> None:
        self._browsers = browsers
        self._watched: list[Panel | Widget] = []

    async def panel(self, **options: Any) -> Panel:
        panel = Panel(await (await self._browsers(**options)).new_page())
        self._watched.append(panel)
        return panel

    async def widget(self, **options: Any) -> Widget:
        options = {"viewport": {"width": 1100, "height": 780}, **options}
        widget = Widget(await (await self._browsers(**options)).new_page())
        self._watched.append(widget)
        return widget

    def faults(self) -> list[str]:
        """What went wrong in any of their pages."""
        return [fault for watched in self._watched for fault in watched.faults]
