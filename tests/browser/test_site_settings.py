"""A site's working hours, translation and AI settings: set in the panel, and their effect on visitors."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


async def test_owner_sets_hours_glossary_and_api_key(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.owner)
    await panel.page.get_by_role("navigation", name="Main").get_by_role("link", name="Sites").click()
    parts = panel.page.get_by_role("navigation", name="Site sections")
    await parts.get_by_role("link", name="Assistant").click()
    page = panel.page
    await page.get_by_role("switch", name="Set working hours").check()
    await page.get_by_label("Time zone").select_option("Europe/Berlin")
    for day in DAYS[1:5]:
        await page.get_by_role("switch", name=day).uncheck()
    await page.get_by_label("Monday, closes").fill("12:30")
    await page.get_by_role("button", name="Add hours on Monday").click()
    await page.get_by_label("Monday, opens 2").fill("12:00")
    for date in ("2026-12-25", "2026-12-26"):
        await page.get_by_role("button", name="Add date").click()
        await page.get_by_label("Closed date").last.fill(date)
    await page.get_by_label("Do not translate").fill("Blue Hour, Corner Shop")
    await page.get_by_role("combobox").filter(has_text="OpenAI-compatible").select_option("openai")
    await page.get_by_label("API key").first.fill("sk-typed-in-here")
    await page.get_by_role("button", name="Add engine").click()
    spare = page.get_by_role("group", name="Engine 2")
    await spare.get_by_label("Model").fill("spare-1")
    await page.get_by_role("button", name="Add engine").click()
    await page.get_by_role("group", name="Engine 3").get_by_role("combobox").select_option("builtin")
    await page.get_by_label("Tokens per day").fill("5000")
    await page.get_by_label("Replies to one visitor").fill("20")
    await page.get_by_label("Currency").fill("eur")
    await page.get_by_label("Price of prompts").last.fill("0.15")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert").filter(has_text="overlap")).to_be_visible()
    await page.get_by_label("Monday, opens 2").fill("13:00")
    # A form that is not saved is not left without a question.
    await parts.get_by_role("link", name="Knowledge").click()
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("A key is set.").first).to_be_visible()
    await page.get_by_role("button", name="Check the AI").first.click()
    await expect(page.get_by_role("row", name="API key")).to_contain_text("The API key is accepted.")
    await expect(page.get_by_role("row", name="Images")).to_contain_text("The model sees images.")
    await panel.screenshot(artifacts, "panel-site-settings")
    await spare.scroll_into_view_if_needed()
    await panel.screenshot(artifacts, "panel-fallback-engines")
    await page.get_by_text("Used today:").scroll_into_view_if_needed()
    await panel.screenshot(artifacts, "panel-ai-limits")
    chatbot = (await tenant.owner.get(f"/sites/{tenant.site_id}/chatbot")).ok()["chatbot"]
    assert chatbot["hours"] == {
        "time_zone": "Europe/Berlin",
        "weekly": [
            {"day": "monday", "from": "09:00", "to": "12:30"},
            {"day": "monday", "from": "13:00", "to": "24:00"},
        ],
        "closed": ["2026-12-25", "2026-12-26"],
    }
    fallbacks = [(fallback["engine"], fallback["model"]) for fallback in chatbot["fallbacks"]]
    assert fallbacks == [("openai", "spare-1"), ("builtin", None)]
    assert chatbot["translation"]["glossary"] == ["Blue Hour", "Corner Shop"]
    assert (chatbot["ai"]["api_key_set"], chatbot["ai"]["daily_tokens"]) == (True, 5000)
    assert (chatbot["caps"]["session"], chatbot["caps"]["conversation"]) == (20, 60)
    assert (chatbot["prices"]["currency"], chatbot["prices"]["input"]) == ("EUR", 0.15)
    await parts.get_by_role("link", name="Knowledge").click()
    await parts.get_by_role("link", name="Assistant").click()
    await expect(page.get_by_label("Monday, opens 2")).to_have_value("13:00")
    await expect(page.get_by_label("Monday, closes 2")).to_have_value("00:00")
    await expect(page.get_by_label("API key").first).to_have_value("")
    assert not await panel.accessibility_violations()


async def test_visitor_of_a_closed_site_is_asked_for_an_email(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    day = DAYS[(datetime.now(UTC) + timedelta(days=2)).weekday()]
    hours = {"time_zone": "UTC", "weekly": [{"day": day.lower(), "from": "12:00", "to": "13:00"}]}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", {"hours": hours})).ok()
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"any_origin": True})).ok()
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()
    widget = await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message("Hello?")
    await widget.ask_for_person()
    await expect(widget.log.get_by_text(f"We are here again on {day} at 12:00 (UTC).")).to_be_visible()
    await widget.page.get_by_label("Your e-mail").fill("jane@example.com")
    await widget.screenshot(artifacts, "widget-closed")
    await widget.page.get_by_role("button", name="Leave e-mail").click()
    await expect(widget.log.get_by_text("We will write to jane@example.com.")).to_be_visible()


async def test_owner_translates_the_sites_texts(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    site = f"/sites/{tenant.site_id}"
    (await tenant.owner.send("PUT", f"{site}/chatbot", {"welcome": "Good morning! Where is your order?"})).ok()
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.owner)
    page = panel.page
    await page.goto(f"{stack.gateway_url}/panel/#{site}/texts")
    await page.get_by_label("Language", exact=True).select_option("pt-BR")
    await page.get_by_role("button", name="Draft by machine").click()
    translation = page.get_by_role("textbox", name="Welcome in ")
    await expect(translation).to_have_value(re.compile("^Bom dia"), timeout=45_000)
    await expect(page.get_by_text("Draft, not shown")).to_be_visible()
    await translation.fill("Bom dia! Em que podemos ajudar com o seu pedido?")
    # What is not saved is not left without a question.
    await page.get_by_label("Language", exact=True).select_option("de")
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    await panel.screenshot(artifacts, "panel-site-texts")
    await page.get_by_role("button", name="Approve").click()
    await expect(page.get_by_text("Shown", exact=True)).to_be_visible()
    assert not await panel.accessibility_violations()
    widget = await sessions.widget(locale="pt-BR")
    await widget.page.goto(f"{stack.gateway_url}/demo?site_key={tenant.site_key}")
    await widget.page.get_by_role("button", name="Chat").click()
    await expect(widget.page.get_by_text("Bom dia! Em que podemos ajudar com o seu pedido?")).to_be_visible()
    await widget.page.evaluate("parley('setLanguage', 'fr')")
    await expect(widget.page.get_by_text("Good morning! Where is your order?")).to_be_visible()
