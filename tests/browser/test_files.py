"""Files and voice notes: attached on one side, received on the other."""

from __future__ import annotations

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.authorization_matrix import PDF
from support.browser import BrowserSessions
from support.tenants import TenantFixture


async def test_files_and_voice_notes_reach_the_other_side(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    panel, widget = await sessions.panel(), await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message("Please send me the invoice.")
    await widget.ask_for_person()
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.select_list("Waiting")
    await panel.page.get_by_role("tabpanel").get_by_role("link").click()
    await panel.page.keyboard.press("a")

    invoice = {"name": "invoice.pdf", "mimeType": "application/pdf", "buffer": PDF}
    await panel.page.locator("input[type=file]").set_input_files(invoice)  # type: ignore[arg-type]
    await expect(panel.page.get_by_role("button", name="Remove file")).to_be_visible()
    await panel.send_message("Here it is.")
    link = widget.log.get_by_role("link", name="invoice.pdf")
    await expect(link).to_be_visible()
    async with widget.page.expect_download() as download:
        await link.click()
    assert (await download.value).suggested_filename == "invoice.pdf"

    page = {"name": "page.pdf", "mimeType": "application/pdf", "buffer": b"<script>alert(1)</script>"}
    await widget.page.locator("input[type=file]").set_input_files(page)  # type: ignore[arg-type]
    await expect(widget.page.get_by_role("alert")).to_contain_text("not accepted")
    notes = {"name": "notes.md", "mimeType": "", "buffer": "# Grüße".encode()}
    await widget.page.locator("input[type=file]").set_input_files(notes)  # type: ignore[arg-type]
    await expect(panel.messages.get_by_role("link", name="notes.md")).to_be_visible()

    await widget.page.get_by_role("button", name="Record a voice message").click()
    await expect(widget.page.get_by_role("timer")).to_have_text("0:01")
    await widget.page.get_by_role("button", name="Send the recording").click()
    player = panel.messages.locator("audio")
    await expect(player).to_be_visible()
    assert await player.evaluate("(audio) => audio.play().then(() => audio.duration > 0)")
