"""Export and erasure of a visitor's data, verified by a search of every collection of every database."""

from __future__ import annotations

import asyncio
import io
import json
import secrets
import zipfile
from pathlib import Path

import pytest

from parley_dev.stack import Stack
from support.api import ApiClient
from support.authorization_matrix import PDF
from support.parley_cli import ParleyCli
from support.personal_data import Databases, VisitorWithData, create_visitor_with_data
from support.tenants import TenantFixture
from support.wait import wait_until


@pytest.fixture
def databases(stack: Stack, mongodb_uri: str) -> Databases:
    return Databases.of_stack(stack, mongodb_uri)


@pytest.fixture
async def stored(tenant: TenantFixture, databases: Databases) -> VisitorWithData:
    visitor = await create_visitor_with_data(tenant)
    await databases.wait_stored_everywhere(visitor)
    return visitor


async def parley(stack: Stack, *arguments: str) -> tuple[int, str, str]:
    """Run the administrators' command with chat's environment. Returns its exit code, output and errors."""
    completed = await ParleyCli(stack.environment("chat"))(*arguments)
    return completed.status, completed.out, completed.err


async def test_an_export_contains_everything_stored_about_a_visitor(
    tenant: TenantFixture, stored: VisitorWithData
) -> None:
    subject = {"site_id": tenant.site_id, "session_id": stored.handle}
    export = (await tenant.owner.get("/operator/visitor/export", **subject)).ok()["export"]
    (conversation,) = export["conversations"]
    contents = [message["content"] for message in conversation["messages"]]
    assert any(stored.canary in text for text in contents)
    assert conversation["notes"][0]["content"] == f"{stored.canary} is a VIP"
    assert conversation["rating_comment"] == f"{stored.canary} was happy"
    assert export["visitor"]["email"] == f"{stored.canary}@shop.test"
    assert export["images"] == [stored.image_url.rsplit("/", 1)[1]]
    assert [(file["name"], file["size"]) for file in export["files"]] == [(f"{stored.canary}.pdf", len(PDF))]
    assert stored.canary in export["elsewhere"]["presence"]["page"]
    assert export["elsewhere"]["translate"]["preferences"][0]["lang"] == "pt-BR"
    assert any("Where is my" in text for text in export["elsewhere"]["translate"]["translations"])
    (entry,) = await tenant.owner.wait_for_audit("visitor.exported", action="visitor.exported")
    assert entry["operator"]["id"] == tenant.owner.id
    assert stored.handle not in json.dumps(entry)


async def test_the_command_exports_the_same_data_with_the_images(
    tenant: TenantFixture, stored: VisitorWithData, stack: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "export.zip"
    arguments = ("--site", str(tenant.site_id), "--email", f"{stored.canary.upper()}@shop.test")
    status, _, err = await parley(stack, "visitor", "export", *arguments, "--output", str(file))
    assert status == 0, err
    with zipfile.ZipFile(file) as archive:
        (one,) = json.loads(archive.read("export.json"))["visitors"]
        image = archive.read(f"images/{stored.image_url.rsplit('/', 1)[1]}")
        assert archive.read(stored.file_url.removeprefix(stored.visitor.api.base_url + "/")) == PDF
    assert one["session_id"] == stored.handle
    assert one["visitor"]["name"] == stored.canary
    assert io.BytesIO(image).read(4) == b"\x89PNG"
    assert file.stat().st_mode & 0o077 == 0, "only the owner may read the file"


async def test_an_erased_visitors_data_is_in_no_collection(
    tenant: TenantFixture, stored: VisitorWithData, databases: Databases, api: ApiClient
) -> None:
    subject = {"site_id": tenant.site_id, "session_id": stored.handle}
    async with tenant.alex.stream() as panel:
        await panel.wait_for("ready")
        reply = await tenant.owner.post("/operator/visitor/erase", subject, Idempotency_Key=stored.canary)
        erased = reply.ok()["erased"]
        assert erased["conversations"] == 1
        assert erased["notes"] == 1
        assert erased["images"] == 1
        assert erased["files"] == 1
        closed = await panel.wait_for("conversation.closed")
        assert closed.data["data"]["conversation"]["visitor"]["name"] is None
        gone = await panel.wait_for("visitor.erased")
        assert gone.data["data"] == {"session_id": stored.handle, "conversation_ids": [stored.conversation_id]}
    again = await tenant.owner.post("/operator/visitor/erase", subject, Idempotency_Key=stored.canary)
    assert again.ok()["erased"] == erased, "the same idempotency key repeats the response"
    assert (await stored.visitor.get("/history")).status == 404
    assert (await tenant.alex.get(f"/operator/conversation/{stored.conversation_id}")).status == 404
    late = {"conversation_id": stored.conversation_id, "content": "Are you still there?"}
    assert (await tenant.alex.post("/operator/message", late)).status == 404
    site = f"/sites/{tenant.site_id}"
    assert (await tenant.owner.get(f"{site}/conversations", search=stored.canary)).ok()["conversations"] == []
    assert (await tenant.owner.get(f"{site}/leads")).ok()["leads"] == []
    assert (await api.request("GET", f"/uploads/{stored.image_url.rsplit('/', 1)[1]}")).status == 404
    assert (await api.request("GET", stored.file_url.removeprefix(api.base_url))).status == 404
    await databases.finish_erasures(tenant.site_id)
    await databases.wait_erased(stored.canary)
    assert await databases.count_translations(stored.conversation_id) == 0
    # The emptied record contains the event to publish; the database deletes it within two minutes.
    assert await databases.collections_containing(stored.handle) <= {"presence.visitors"}
    (entry,) = await tenant.owner.wait_for_audit("visitor.erased", action="visitor.erased")
    assert entry["operator"]["id"] == tenant.owner.id
    assert stored.handle not in json.dumps(entry)
    assert (await tenant.owner.get("/operator/visitor/export", **subject)).status == 404
    done = await stored.visitor.send_message("Hello again")
    assert done["conversation_id"] != stored.conversation_id, "a visitor who returns is a new one"


async def test_messages_sent_during_an_erasure_are_erased_too(
    tenant: TenantFixture, stack: Stack, databases: Databases
) -> None:
    visitor, _ = await tenant.assigned_conversation()
    canary = f"zq{secrets.token_hex(6)}"
    (await visitor.post("/contact", name=canary)).ok()
    listed = (await tenant.owner.get(f"/sites/{tenant.site_id}/conversations")).ok()["conversations"]
    handle = next(row["visitor"]["session_id"] for row in listed if row["visitor"]["name"] == canary)
    stop = asyncio.Event()
    statuses: list[int] = []

    async def keep_writing(number: int) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            body = {**visitor.credentials, "message": f"{canary} {number} {count}"}
            statuses.append((await visitor.api.request("POST", "/api/v1/chat/stream", body=body)).status)

    writers = [asyncio.create_task(keep_writing(number)) for number in range(4)]
    await wait_until(lambda: statuses.count(200) > 20)
    status, out, err = await parley(
        stack, "visitor", "erase", "--site", str(tenant.site_id), "--session", handle, "--yes", "--json"
    )
    assert status == 0, err
    assert json.loads(out)[0]["conversations"] >= 1
    await wait_until(lambda: statuses[-20:] == [409] * 20)
    stop.set()
    await asyncio.gather(*writers)
    assert set(statuses) <= {200, 404, 409}, "rejected with the reason"
    await databases.finish_erasures(tenant.site_id)
    await databases.wait_erased(canary)
    assert await databases.collections_containing(handle) <= {"presence.visitors"}


async def test_the_command_asks_for_confirmation_and_counts_with_dry_run(
    tenant: TenantFixture, stored: VisitorWithData, stack: Stack
) -> None:
    subject = ("--site", str(tenant.site_id), "--session", stored.handle)
    status, _, err = await parley(stack, "visitor", "erase", *subject)
    assert (status, err.count("\n")) == (1, 1), "one line, and nothing is erased"
    status, out, _ = await parley(stack, "visitor", "erase", *subject, "--dry-run", "--json")
    assert status == 0
    (counts,) = json.loads(out)
    assert counts["messages"] >= 3
    assert counts["images"] == 1
    assert (await stored.visitor.get("/history")).ok()["messages"]
    status, _, err = await parley(stack, "visitor", "erase", "--site", "4503599627370497", "--session", stored.handle)
    assert status == 1
    assert "There is no site" in err
