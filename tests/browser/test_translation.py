"""Translation: each side reads its own language and can display the original."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture


async def test_each_side_reads_its_own_language(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()
    panel, widget = await sessions.panel(), await sessions.widget(locale="pt-BR")
    await widget.page.goto(f"{stack.gateway_url}/demo?site_key={tenant.site_key}")
    await widget.page.get_by_role("button", name="Chat").click()
    write = widget.page.get_by_role("textbox", name="Escreva uma mensagem…")
    await write.fill("Bom dia! Preciso de ajuda com o meu pedido.")
    await write.press("Enter")
    await widget.page.get_by_role("button", name="Falar com uma pessoa").click()
    await expect(widget.log).to_contain_text("Aguardando uma pessoa…")

    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.select_list("Waiting")
    await panel.page.get_by_role("tabpanel").get_by_role("link").click()
    await panel.page.keyboard.press("a")
    await panel.page.get_by_role("button", name="Translate this chat").click()
    bar = panel.page.get_by_role("group", name="Translation")
    await expect(bar.get_by_role("combobox")).to_have_value("pt-BR")
    await write.fill("Onde está a minha encomenda?")
    await write.press("Enter")
    translation = panel.messages.locator("[lang^=en]")
    await expect(translation.last).to_contain_text("order", ignore_case=True, timeout=20_000)
    await expect(panel.messages).to_contain_text("Onde está a minha encomenda?")

    await panel.send_message("Good morning! Your order is on its way.")
    original = widget.page.get_by_role("button", name="Original")
    await expect(original).to_be_visible(timeout=20_000)
    await expect(widget.log).to_contain_text("Bom dia")
    await expect(widget.log).not_to_contain_text("Your order is on its way.")
    await panel.screenshot(artifacts, "panel-translation")
    await widget.screenshot(artifacts, "widget-translation")
    await original.click()
    await expect(widget.log).to_contain_text("Your order is on its way.")

    await panel.page.get_by_role("switch", name="Show").click()
    await expect(translation).to_have_count(0)
