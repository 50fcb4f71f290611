"""A visitor asks what is kept of them, and then to be forgotten: looked for in every collection of every database."""

from __future__ import annotations

import asyncio
import io
import json
import secrets
import sys
import zipfile
from pathlib import Path

import pytest

from parley_dev.stack import Stack
from support.api import ApiClient
from support.personal_data import Found, finished, nowhere, places_of, prefix_of, somebody, spread, translations_of
from support.tenants import TenantFixture
from support.wait import wait_until


@pytest.fixture
async def found(tenant: TenantFixture, stack: Stack, mongodb_uri: str) -> Found:
    one = await somebody(tenant)
    await spread(one, mongodb_uri, prefix_of(stack))
    return one


async def parley(stack: Stack, *arguments: str) -> tuple[int, str, str]:
    """The administrators' command, as it runs beside chat."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("parley")),
        *arguments,
        env=stack.environment("chat"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), err.decode()


async def test_an_export_has_all_that_is_kept_of_a_visitor(tenant: TenantFixture, found: Found) -> None:
    named = {"site_id": tenant.site_id, "session_id": found.handle}
    export = (await tenant.owner.get("/operator/visitor/export", **named)).ok()["export"]
    (conversation,) = export["conversations"]
    said = [message["content"] for message in conversation["messages"]]
    assert any(found.canary in text for text in said)
    assert conversation["notes"][0]["content"] == f"{found.canary} is a VIP"
    assert conversation["rating_comment"] == f"{found.canary} was happy"
    assert export["visitor"]["email"] == f"{found.canary}@shop.test"
    assert export["images"] == [found.image_url.rsplit("/", 1)[1]]
    assert found.canary in export["elsewhere"]["presence"]["page"]
    assert export["elsewhere"]["translate"]["preferences"][0]["lang"] == "pt-BR"
    assert any("Where is my" in text for text in export["elsewhere"]["translate"]["translations"])
    entry = (await tenant.owner.get("/audit", action="visitor.exported")).ok()["entries"][0]
    assert entry["operator"]["id"] == tenant.owner.id
    assert found.handle not in json.dumps(entry)


async def test_the_command_writes_the_same_with_the_images(
    tenant: TenantFixture, found: Found, stack: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "export.zip"
    by_address = ("--site", str(tenant.site_id), "--email", f"{found.canary.upper()}@shop.test")
    status, _, err = await parley(stack, "visitor", "export", *by_address, "--output", str(file))
    assert status == 0, err
    with zipfile.ZipFile(file) as archive:
        (one,) = json.loads(archive.read("export.json"))["visitors"]
        image = archive.read(f"images/{found.image_url.rsplit('/', 1)[1]}")
    assert one["session_id"] == found.handle
    assert one["visitor"]["name"] == found.canary
    assert io.BytesIO(image).read(4) == b"\x89PNG"
    assert file.stat().st_mode & 0o077 == 0, "for nobody else's eyes"


async def test_who_was_erased_is_found_nowhere(
    tenant: TenantFixture, found: Found, stack: Stack, mongodb_uri: str, api: ApiClient
) -> None:
    named = {"site_id": tenant.site_id, "session_id": found.handle}
    async with tenant.alex.stream() as panel:
        await panel.wait_for("ready")
        reply = await tenant.owner.post("/operator/visitor/erase", named, Idempotency_Key=found.canary)
        erased = reply.ok()["erased"]
        assert erased["conversations"] == 1
        assert erased["notes"] == 1
        assert erased["images"] == 1
        closed = await panel.wait_for("conversation.closed")
        assert closed.data["data"]["conversation"]["visitor"]["name"] is None
        gone = await panel.wait_for("visitor.erased")
        assert gone.data["data"] == {"session_id": found.handle, "conversation_ids": [found.conversation_id]}
    again = await tenant.owner.post("/operator/visitor/erase", named, Idempotency_Key=found.canary)
    assert again.ok()["erased"] == erased, "the same key repeats the answer"
    assert (await found.visitor.get("/history")).status == 404
    assert (await tenant.alex.get(f"/operator/conversation/{found.conversation_id}")).status == 404
    late = {"conversation_id": found.conversation_id, "content": "Are you still there?"}
    assert (await tenant.alex.post("/operator/message", late)).status == 404
    site = f"/sites/{tenant.site_id}"
    assert (await tenant.owner.get(f"{site}/conversations", search=found.canary)).ok()["conversations"] == []
    assert (await tenant.owner.get(f"{site}/leads")).ok()["leads"] == []
    assert (await api.request("GET", f"/uploads/{found.image_url.rsplit('/', 1)[1]}")).status == 404
    await finished(mongodb_uri, prefix_of(stack))
    await wait_until(lambda: nowhere(mongodb_uri, prefix_of(stack), found.canary), timeout=30)
    assert await translations_of(mongodb_uri, prefix_of(stack), found.conversation_id) == 0
    # An emptied record goes out with the event that tells of it; the database removes it within two minutes.
    assert await places_of(mongodb_uri, prefix_of(stack), found.handle) <= {"presence.visitors"}
    entry = (await tenant.owner.get("/audit", action="visitor.erased")).ok()["entries"][0]
    assert entry["operator"]["id"] == tenant.owner.id
    assert found.handle not in json.dumps(entry)
    assert (await tenant.owner.get("/operator/visitor/export", **named)).status == 404
    begun = await found.visitor.send_message("Hello again")
    assert begun["conversation_id"] != found.conversation_id, "who comes back is somebody new"


async def test_messages_that_arrive_meanwhile_bring_nothing_back(
    tenant: TenantFixture, stack: Stack, mongodb_uri: str
) -> None:
    visitor, _ = await tenant.assigned_conversation()
    canary = f"zq{secrets.token_hex(6)}"
    (await visitor.post("/contact", name=canary)).ok()
    listed = (await tenant.owner.get(f"/sites/{tenant.site_id}/conversations")).ok()["conversations"]
    handle = next(row["visitor"]["session_id"] for row in listed if row["visitor"]["name"] == canary)
    stop = asyncio.Event()
    answers: list[int] = []

    async def keep_writing(number: int) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            body = {**visitor.credentials, "message": f"{canary} {number} {count}"}
            answers.append((await visitor.api.request("POST", "/api/v1/chat/stream", body=body)).status)

    writers = [asyncio.create_task(keep_writing(number)) for number in range(4)]
    await wait_until(lambda: answers.count(200) > 20)
    status, out, err = await parley(
        stack, "visitor", "erase", "--site", str(tenant.site_id), "--session", handle, "--yes", "--json"
    )
    assert status == 0, err
    assert json.loads(out)[0]["conversations"] >= 1
    await wait_until(lambda: answers[-20:] == [409] * 20)
    stop.set()
    await asyncio.gather(*writers)
    assert set(answers) <= {200, 404, 409}, "refused in words that say why"
    await finished(mongodb_uri, prefix_of(stack))
    await wait_until(lambda: nowhere(mongodb_uri, prefix_of(stack), canary), timeout=30)
    assert await places_of(mongodb_uri, prefix_of(stack), handle) <= {"presence.visitors"}


async def test_the_command_asks_before_it_erases_and_counts_with_dry_run(
    tenant: TenantFixture, found: Found, stack: Stack
) -> None:
    named = ("--site", str(tenant.site_id), "--session", found.handle)
    status, _, err = await parley(stack, "visitor", "erase", *named)
    assert (status, err.count("\n")) == (1, 1), "one line, and nothing done"
    status, out, _ = await parley(stack, "visitor", "erase", *named, "--dry-run", "--json")
    assert status == 0
    (counts,) = json.loads(out)
    assert counts["messages"] >= 3
    assert counts["images"] == 1
    assert (await found.visitor.get("/history")).ok()["messages"]
    status, _, err = await parley(stack, "visitor", "erase", "--site", "4503599627370497", "--session", found.handle)
    assert status == 1
    assert "There is no site" in err
