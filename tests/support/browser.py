"""Page objects of the panel and the widget. Elements are located by role and label, never by CSS class."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, expect

from support.api import OperatorClient
from support.tenants import PASSWORD

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
ALL_IMPACTS = ("minor", "moderate", *SERIOUS)
# Logged by the browser itself for requests that a test makes fail on purpose.
_NETWORK_ERROR = "Failed to load resource"


@dataclass(slots=True)
class MonitoredPage:
    """A page and the errors that occurred in it."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        self.page.on("console", lambda message: self._on_console_message(message))  # noqa: PLW0108 - a method of a slotted class

    def _on_console_message(self, message: ConsoleMessage) -> None:
        if message.type == "error" and _NETWORK_ERROR not in message.text:
            self.errors.append(message.text)

    async def screenshot(self, directory: Path | None, name: str) -> None:
        """Save a screenshot if there is a directory for it."""
        if directory is not None:
            await self.page.screenshot(path=directory / f"{name}.png", animations="disabled", caret="initial")

    async def horizontal_overflow(self) -> int:
        """Return by how many pixels the page or a scrolling part of it is too wide."""
        overflow: int = await self.page.evaluate(
            """() => {
              // On a phone the links of the pages scroll sideways on purpose.
              const links = innerWidth > 760 ? ', nav > :has(> a)' : ''
              const scroll = [...document.querySelectorAll(`main, aside, [role=tabpanel], .timeline${links}`)]
              const over = scroll.map((element) => element.scrollWidth - element.clientWidth)
              return Math.max(document.documentElement.scrollWidth - innerWidth, ...over)
            }"""
        )
        return max(0, overflow)

    async def wait_settled(self) -> None:
        """Wait until the animations that end have ended, and what they changed is painted."""
        await self.page.evaluate(
            """async () => {
              const frame = () => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))
              const shadows = (root) => [...root.querySelectorAll('*')].map((one) => one.shadowRoot).filter(Boolean)
              const roots = (root) => [root, ...shadows(root).flatMap(roots)]
              const finite = (one) => one.effect.getComputedTiming().endTime !== Infinity
              await frame()
              const animations = roots(document).flatMap((root) => root.getAnimations()).filter(finite)
              await Promise.allSettled(animations.map((one) => one.finished))
              await frame()
            }"""
        )

    async def accessibility_violations(
        self, within: str | None = None, rules: Sequence[str] = (), impacts: Sequence[str] = SERIOUS
    ) -> list[str]:
        """Return the violations that axe finds, with their elements: serious ones of all rules, or those named."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text())
        run = "async ([within, options]) => (await axe.run(within ?? document, options)).violations"
        options: dict[str, Any] = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
        violations: list[dict[str, Any]] = await self.page.evaluate(run, [within, options])
        return [
            f"{one['id']}: {json.dumps([node['target'] for node in one['nodes']])}"
            for one in violations
            if one["impact"] in impacts
        ]


@dataclass(slots=True)
class Panel(MonitoredPage):
    """The operator panel."""

    async def log_in(self, base_url: str, operator: OperatorClient) -> None:
        """Log in through the form."""
        email = (await operator.get("/auth/me")).ok()["user"]["email"]
        await self.page.goto(f"{base_url}/panel")
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

    async def select_list(self, name: str) -> None:
        """Show a list: Waiting, Mine or All."""
        await self.page.get_by_role("tab", name=name).click()

    async def open(self, conversation_id: int) -> None:
        await self.page.evaluate("(id) => { location.hash = `#/chats/${id}` }", conversation_id)
        await expect(self.messages).to_be_visible()

    async def send_message(self, text: str) -> None:
        await self.reply.fill(text)
        await self.reply.press("Enter")


@dataclass(slots=True)
class Widget(MonitoredPage):
    """The demo page with the widget."""

    async def open(self, base_url: str, site_key: str) -> None:
        await self.page.goto(f"{base_url}/demo?site_key={site_key}")
        await self.page.get_by_role("button", name="Open chat").click()
        await expect(self.write).to_be_focused()

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def write(self) -> Locator:
        return self.page.get_by_role("textbox", name="Write a message…")

    async def send_message(self, text: str) -> None:
        await self.write.fill(text)
        await self.write.press("Enter")

    async def ask_for_person(self) -> None:
        await self.page.get_by_role("button", name="Talk to a person").click()


NewContext = Callable[..., Awaitable[BrowserContext]]


class BrowserSessions:
    """The browser pages of a test, each in a context of its own."""

    def __init__(self, new_context: NewContext) -> None:
        self._new_context = new_context
        self._pages: list[Panel | Widget] = []

    async def panel(self, **options: Any) -> Panel:
        panel = Panel(await (await self._new_context(**options)).new_page())
        self._pages.append(panel)
        return panel

    async def widget(self, **options: Any) -> Widget:
        options = {"viewport": {"width": 1100, "height": 780}, **options}
        widget = Widget(await (await self._new_context(**options)).new_page())
        self._pages.append(widget)
        return widget

    def errors(self) -> list[str]:
        """Return the errors of all pages."""
        return [error for page in self._pages for error in page.errors]
