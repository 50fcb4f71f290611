"""T18: without translate originals are not delayed, and every message is translated later or marked as failed."""

from __future__ import annotations

import time
from functools import partial

import pytest

from reliability.conftest import ReliabilityCluster, report
from support.sse import SseEvent
from support.tenants import TenantFixture
from support.wait import wait_until

pytestmark = pytest.mark.timeout(300)


async def test_t18_without_translate_originals_are_not_delayed(
    cluster: ReliabilityCluster, tenant: TenantFixture
) -> None:
    """T18: while translate is down originals are not delayed; translations arrive after its start."""
    visitor, conversation_id = await tenant.assigned_conversation()
    alex = tenant.alex
    settings = {"conversation_id": conversation_id, "lang": "pt-BR"}
    (await alex.post("/operator/translation/set-lang", settings)).ok()
    (await alex.post("/operator/translation/toggle", {"conversation_id": conversation_id, "enabled": True})).ok()

    async def known() -> bool:
        shown = (await alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
        return bool(shown["translation"]["enabled"])

    await wait_until(known)
    for index in range(2):
        await cluster.stack.kill("translate", index)
    async with alex.stream() as panel:
        await panel.wait_for("ready")
        began = time.monotonic()
        await visitor.send_message("Bom dia, onde está o meu pedido?")
        first = await panel.wait_for("message.created", lambda e: e.data["data"]["role"] == "visitor")
        original = time.monotonic() - began
        began = time.monotonic()
        sent = await alex.send_message(conversation_id, "It is on its way.")
        waited = time.monotonic() - began
        assert sent["translation"]["status"] == "failed"
        assert waited < 4
        for index in range(2):
            await cluster.stack.restart("translate", index)
        # After its start it translates both: the visitor's message, and the operator's that was sent untranslated.
        for seq in (first.data["data"]["seq"], sent["seq"]):
            late = await panel.wait_for("message.translated", partial(_belongs_to, seq), timeout=60)
            assert late.data["data"]["translation"]["status"] == "done"
    report(
        "T18",
        f"translate down: original received after {original:.2f} s, operator's sent after {waited:.2f} s; "
        "both translated later",
    )


def _belongs_to(seq: int, event: SseEvent) -> bool:
    return bool(event.data["data"]["seq"] == seq)
