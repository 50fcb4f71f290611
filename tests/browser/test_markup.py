"""User text is displayed as text: markup and scripts in it have no effect, and links open safely."""

from __future__ import annotations

import json
import re

from playwright.async_api import Page, expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture

CANARIES = [
    "<img src=x onerror=\"window.__canary='img'\">",
    "<script>window.__canary='script'</script>",
    "<svg/onload=\"window.__canary='svg'\">",
    '"><iframe srcdoc="<script>parent.__canary=\'frame\'</script>">',
    "javascript:window.__canary='address'",
    "[click](javascript:window.__canary='markdown')",
    "${window.__canary='template'} {{constructor.constructor('window.__canary=1')()}}",
    "\u202etxt.exe </div></li></ol><h1>Broken out</h1>\u202c",
]
ALL_CANARIES = "\n".join(CANARIES)


async def assert_no_injection(page: Page) -> None:
    """Assert that no canary script ran and no user text became an element."""
    result: dict[str, object] = await page.evaluate(
        """() => {
          const roots = [document, document.querySelector('parley-chat')?.shadowRoot].filter(Boolean)
          const all = roots.flatMap((root) => [...root.querySelectorAll('*')])
          return {
            canary: window.__canary ?? null,
            elements: all.filter((e) => e.matches('img[src="x"], iframe, script:not([src])')).length,
            handlers: all.filter((e) => [...e.attributes].some((a) => a.name.startsWith('on'))).length,
            links: all.filter((e) => /^\\s*(javascript|data|vbscript):/i.test(e.getAttribute('href') ?? '')).length,
            headings: all.filter((e) => e.tagName === 'H1' && e.textContent === 'Broken out').length,
          }
        }"""
    )
    assert result == {"canary": None, "elements": 0, "handlers": 0, "links": 0, "headings": 0}, json.dumps(result)


async def test_visitor_text_and_names_stay_text_in_the_panel(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    visitor, conversation = await tenant.assigned_conversation()
    for canary in CANARIES:
        await visitor.send_message(canary)
    details = {"name": f"Eve {CANARIES[0]}", "info": {"<b>plan</b>": CANARIES[2]}}
    (await tenant.alex.send("PUT", f"/operator/conversation/{conversation}/visitor", details)).ok()
    (await tenant.alex.post("/operator/note", {"conversation_id": conversation, "content": ALL_CANARIES})).ok()
    beat = {"page": "https://shop.test/?q=<script>window.__canary=1</script>", "title": CANARIES[0]}
    (await visitor.post("/heartbeat", **beat)).ok()

    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.select_list("Mine")
    await panel.open(conversation)
    for canary in CANARIES:
        await expect(panel.messages.get_by_text(canary, exact=True)).to_have_count(1)
    await expect(panel.page.get_by_role("heading", name=f"Eve {CANARIES[0]}").first).to_be_visible()
    await assert_no_injection(panel.page)
    await panel.page.get_by_role("link", name="Visitors").click()
    await expect(panel.page.get_by_role("heading", name="Visitors")).to_be_visible()
    await assert_no_injection(panel.page)


async def test_operator_and_ai_text_stays_text_in_the_widget(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    site = f"/sites/{tenant.site_id}"
    entry = {"question": "Show me markup", "answer": ALL_CANARIES}
    (await tenant.owner.post(f"{site}/chatbot/knowledge", entry)).ok(201)
    bot = {"name": CANARIES[0], "welcome": ALL_CANARIES}
    (await tenant.owner.send("PUT", f"{site}/chatbot", bot)).ok()
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()
    widget = await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message("Show me markup")
    await expect(widget.log.get_by_text(re.compile("Broken out"))).to_have_count(2)
    await widget.ask_for_person()
    await expect(widget.log).to_contain_text("Waiting for a person…")
    conversation = (await tenant.alex.get("/operator/all-active-chats")).ok()["chats"][0]["id"]
    for canary in CANARIES:
        await tenant.alex.send_message(conversation, canary)
        await expect(widget.log.get_by_text(canary, exact=True)).to_have_count(1)
    await assert_no_injection(widget.page)


async def test_links_open_in_a_new_tab_without_a_referrer(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    visitor, conversation = await tenant.assigned_conversation()
    await visitor.send_message("See https://example.test/a?b=1, and (www.example.test/path_(x)).")
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.open(conversation)
    links = panel.messages.get_by_role("link")
    await expect(links).to_have_count(2)
    attributes = [[await link.get_attribute(name) for name in ("href", "rel", "target")] for link in await links.all()]
    external = ["noopener noreferrer nofollow", "_blank"]
    assert attributes == [["https://example.test/a?b=1", *external], ["https://www.example.test/path_(x)", *external]]
