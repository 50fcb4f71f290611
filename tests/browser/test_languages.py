"""The panel in other languages: no English is left, nothing is cut off, and Arabic is mirrored."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions, Panel
from support.populated_tenant import PopulatedTenant
from support.tenants import PASSWORD, TenantFixture

TEXTS = Path(__file__).parents[2] / "web" / "panel" / "src" / "i18n"
PAGES = ("visitors", "archive", "search", "reports", "sites", "team", "ratings", "audit", "settings")
SITE_TABS = ("assistant", "knowledge", "settings")

VISIBLE_TEXTS = """() => {
  const people = '[dir=auto], [lang]:not(html), code, kbd, pre, option, time'
  const texts = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement
    if (element.closest(people) || !element.checkVisibility()) continue
    texts.push(node.data)
  }
  for (const name of ['aria-label', 'title', 'placeholder', 'alt']) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      if (!element.matches(people)) texts.push(element.getAttribute(name))
    }
  }
  return texts.map((text) => text.trim()).filter(Boolean)
}"""
"""The page's own texts: not those of people, names of languages and code."""

CUT_OFF = """() => [...document.querySelectorAll('nav a, button, [role=tab]')]
  .filter((element) => element.checkVisibility() && element.scrollWidth > element.clientWidth + 1)
  .filter((element) => getComputedStyle(element).display !== 'inline')
  .map((element) => element.textContent)"""

CUT_SELECTS = """() => [...document.querySelectorAll('select:not(:has([dir=auto], [lang]))')]
  .filter((select) => {
    if (!select.checkVisibility()) return false
    const copy = select.cloneNode(true)
    copy.style.cssText = 'position: absolute; width: max-content; min-width: 0; max-width: none'
    select.after(copy)
    const width = copy.offsetWidth
    copy.remove()
    return width > select.offsetWidth + 1
  })
  .map((select) => [...select.options].map((option) => option.label))"""
"""The selects that are too narrow for one of their options."""

ISOLATED = re.compile("\u2068[^\u2068\u2069]*\u2069")
"""A value in a text: a name, a page, a date."""
LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z’']{2,}")
NAMES = {"Alex", "Sam", "Owner", "plan", "order"}
"""Names of the test's people, and of what they noted about a visitor."""
KEYS = {"Alt", "Ctrl", "Enter", "Esc", "Shift"}


@cache
def catalogue(language: str) -> dict[str, str]:
    """Return the texts of a language by "feature.name"."""
    return {
        f"{path.stem}.{name}": text
        for path in (TEXTS / language).rglob("*.json")
        for name, text in json.loads(path.read_text()).items()
    }


def english_left(language: str, visible: list[str], names: set[str]) -> list[str]:
    """Return the texts that have a translation and are shown in English, and for Arabic every word in Latin letters."""
    english, translated = catalogue("en"), catalogue(language)
    known = set(translated.values())
    untranslated = {text for key, text in english.items() if translated.get(key, text) != text} - known
    left = [text for text in visible if text in untranslated]
    if language == "ar":
        allowed = {word for text in known for word in LATIN_WORD.findall(text)} | NAMES | KEYS | names
        for text in visible:
            words = LATIN_WORD.findall(ISOLATED.sub("", ISOLATED.sub("", text)))
            left += [text for word in words if word not in allowed and "@" not in text and "://" not in text]
    return left


class Walk:
    """Opens pages of the panel and checks their texts and their layout."""

    def __init__(self, panel: Panel, language: str, artifacts: Path | None, site_name: str) -> None:
        self.panel, self.language, self._artifacts = panel, language, artifacts
        self._names = set(LATIN_WORD.findall(site_name))
        self.text = catalogue(language)

    async def log_in(self, base_url: str, email: str) -> None:
        page = self.panel.page
        await page.goto(f"{base_url}/panel")
        await page.get_by_label(self.text["common.email"]).fill(email)
        await self.check("login")
        await page.get_by_label(self.text["common.password"]).fill(PASSWORD)
        await page.get_by_role("button", name=self.text["session.logIn"]).click()
        await expect(page.get_by_title(self.text["live.live"], exact=True)).to_be_visible()

    async def show(self, route: str, name: str) -> None:
        """Open a route and check it when it has loaded."""
        await self.panel.page.evaluate("(route) => { location.hash = `#/${route}` }", route)
        await expect(self.panel.page.get_by_role("main")).to_be_visible()
        await expect(self.panel.page.get_by_role("status", name=self.text["common.loading"])).to_have_count(0)
        await self.check(name)

    async def check(self, name: str) -> None:
        page = self.panel.page
        await self.panel.screenshot(self._artifacts, f"panel-{self.language}-{name}")
        assert not english_left(self.language, await page.evaluate(VISIBLE_TEXTS), self._names), name
        assert await self.panel.horizontal_overflow() == 0, f"{name} scrolls sideways"
        assert await page.evaluate(CUT_OFF) == [], f"{name} cuts texts off"
        assert await page.evaluate(CUT_SELECTS) == [], f"{name} cuts what can be chosen"


@pytest.mark.parametrize("language", ["de", "ar"])
async def test_panel_speaks_the_language_of_the_browser(
    language: str, shop: PopulatedTenant, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    panel = await sessions.panel(locale=language)
    site = (await shop.tenant.owner.get(f"/sites/{shop.tenant.site_id}")).ok()["site"]
    walk = Walk(panel, language, artifacts, site["name"])
    email = (await shop.tenant.owner.get("/auth/me")).ok()["user"]["email"]
    await walk.log_in(stack.gateway_url, email)
    html = panel.page.locator("html")
    await expect(html).to_have_attribute("lang", language)
    await expect(html).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
    await panel.page.get_by_role("tab", name=walk.text["inbox.tab_all"]).click()
    await walk.check("inbox")
    for page_name in PAGES:
        await walk.show(page_name, page_name)
    for tab in SITE_TABS:
        await walk.show(f"sites/{shop.tenant.site_id}/{tab}", f"site-{tab}")
    await walk.show(f"chats/{shop.long_conversation_id}", "chat")
    await panel.page.keyboard.press("?")
    await expect(panel.page.get_by_role("dialog")).to_be_visible()
    await walk.check("shortcuts")
    await panel.page.keyboard.press("Escape")
    await check_side(panel, language)
    assert not await panel.accessibility_violations()


async def check_side(panel: Panel, language: str) -> None:
    """Assert that the panel's parts follow each other in the direction of the language."""
    parts = [panel.page.locator(selector) for selector in (".sidebar", ".inbox", ".conversation-main", ".details")]
    boxes: list[Any] = [await part.bounding_box() for part in parts]
    starts = [box["x"] for box in boxes]
    assert starts == sorted(starts, reverse=language == "ar")


async def test_language_is_chosen_in_the_settings(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    panel = await sessions.panel()
    loaded: list[str] = []
    panel.page.on("request", lambda request: loaded.append(request.url))
    await panel.log_in(stack.gateway_url, tenant.owner)
    await panel.page.evaluate("() => { location.hash = '#/settings' }")
    choice = panel.page.get_by_label("Language of the panel")
    await expect(choice).to_be_visible()
    languages = re.compile(r"/assets/(ar|de|es|fr|ja|pt)-")
    assert not [url for url in loaded if languages.search(url)]
    await choice.select_option("ja")
    await expect(panel.page.get_by_role("heading", name=catalogue("ja")["settings.title"], exact=True)).to_be_visible()
    await panel.page.reload()
    await expect(panel.page.get_by_role("heading", name=catalogue("ja")["settings.title"], exact=True)).to_be_visible()
    assert {match[1] for url in loaded if (match := languages.search(url))} == {"ja"}
