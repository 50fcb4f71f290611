"""Labels of conversations, the filters of the lists, and saved views with their counts."""

from __future__ import annotations

from typing import Any

from support.api import OperatorClient
from support.tenants import TenantFixture
from support.wait import wait_until


async def _add_label(operator: OperatorClient, name: str, **fields: Any) -> int:
    label: dict[str, Any] = (await operator.post("/labels", {"name": name, **fields})).ok(201)["label"]
    return int(label["id"])


async def _label(operator: OperatorClient, conversation_id: int, *labels: int) -> dict[str, Any]:
    path = f"/operator/conversation/{conversation_id}/labels"
    changed: dict[str, Any] = (await operator.send("PUT", path, {"labels": list(labels)})).ok()["conversation"]
    return changed


async def _queue(operator: OperatorClient, **query: Any) -> list[int]:
    return [chat["id"] for chat in (await operator.get("/operator/all-active-chats", **query)).ok()["chats"]]


async def _archive(tenant: TenantFixture, **query: Any) -> list[int]:
    found = (await tenant.alex.get(f"/sites/{tenant.site_id}/conversations", **query)).ok()["conversations"]
    return [row["id"] for row in found]


async def test_managers_make_labels_that_operators_give(tenant: TenantFixture) -> None:
    alex, owner = tenant.alex, tenant.owner
    manager = await tenant.add_operator("Mia", can_manage=True)
    other_site = (await tenant.add_site())["id"]
    of_site = {"scope": "site", "site_id": tenant.site_id}
    billing = await _add_label(manager, "Billing", colour="#2563EB", **of_site)
    bug = await _add_label(owner, "Bug", scope="all")
    foreign = await _add_label(owner, "Post", scope="site", site_id=other_site)

    assert (await alex.post("/labels", {"name": "Mine", **of_site})).status == 403
    assert (await manager.post("/labels", {"name": "Ours", "scope": "all"})).status == 403
    assert (await manager.post("/labels", {"name": "bílling", **of_site})).body["code"] == "label_name_taken"
    assert (await alex.send("PUT", f"/labels/{bug}", {"name": "Big", "colour": "#000000"})).status == 403
    assert [label["name"] for label in (await alex.get("/labels")).ok()["labels"]] == ["Billing", "Bug"]

    visitor, conversation_id = await tenant.assigned_conversation()
    assert (await _label(tenant.sam, conversation_id, billing, bug, billing))["labels"] == [billing, bug]
    for unusable in (foreign, 10**9):
        path = f"/operator/conversation/{conversation_id}/labels"
        refused = await alex.send("PUT", path, {"labels": [unusable]})
        assert refused.status == 400 or refused.status == 422, refused.raw
        assert "labels" in refused.body["errors"]
    shown = (await alex.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
    assert shown["labels"] == [billing, bug]
    assert shown["history"][-1]["action"] == "labeled"

    async def audited() -> list[dict[str, Any]]:
        return (await owner.get("/audit", action="conversation.labeled")).ok()["entries"]  # type: ignore[no-any-return]

    entries = await wait_until(audited, description="the labels are in the audit log")
    assert entries[0]["details"] == {"labels": ["Billing", "Bug"]}
    assert b"labels" not in (await visitor.get("/history")).raw


async def test_a_deleted_label_is_taken_off_every_conversation(tenant: TenantFixture) -> None:
    owner, alex = tenant.owner, tenant.alex
    bug, vip = [await _add_label(owner, name, scope="all") for name in ("Bug", "VIP")]
    _, first = await tenant.assigned_conversation()
    _, closed = await tenant.assigned_conversation()
    for conversation_id in (first, closed):
        await _label(alex, conversation_id, bug, vip)
    (await alex.post(f"/operator/close/{closed}")).ok()

    async with alex.stream() as stream:
        await stream.wait_for("ready")
        (await owner.send("DELETE", f"/labels/{bug}")).ok()
        event = await stream.wait_for("conversation.updated")
    assert event.data["data"]["reason"] == "labels"
    assert (await owner.post("/labels", {"name": "Bug", "scope": "all"})).status == 201, "the name is free again"

    async def are_removed() -> bool:
        rows = (await alex.get(f"/sites/{tenant.site_id}/conversations")).ok()["conversations"]
        return all(row["labels"] == [vip] for row in rows)

    await wait_until(are_removed)
    assert sorted(await _archive(tenant, label_id=vip)) == sorted([first, closed])
    assert await _archive(tenant, label_id=bug) == []


async def test_the_lists_are_filtered(tenant: TenantFixture) -> None:
    alex = tenant.alex
    bug = await _add_label(tenant.owner, "Bug", scope="all")
    german = tenant.new_visitor()
    await german.send_message("Wo bleibt mein Päckchen?", lang="de-AT")
    first = (await german.send_message("Hallo?", lang="de-AT"))["conversation_id"]
    (await german.post("/handoff")).ok()
    (await german.post("/contact", name="Jürgen")).ok()
    rated, second = await tenant.assigned_conversation()
    (await rated.post("/rate", score=2)).ok()
    await _label(alex, second, bug)

    assert await _queue(alex) == [first, second]
    assert await _queue(alex, language="de") == [first]
    assert await _queue(alex, operator_id=alex.id) == [second]
    assert await _queue(alex, label_id=bug) == [second]
    assert await _queue(alex, label_id=bug, language="de") == []
    assert await _queue(alex, rating=2, operator_id=alex.id) == [second]
    assert await _queue(alex, search="jurg") == [first]
    assert await _queue(alex, waiting=0) == [first, second]
    assert await _queue(alex, waiting=3600) == []
    assert await _archive(tenant, language="de-DE") == [first]
    assert await _archive(tenant, rating=2, label_id=bug) == [second]
    assert await _archive(tenant, rating=3) == []
    assert await _archive(tenant, search="jurgen", language="de") == [first]

    async def is_found() -> bool:
        return await _archive(tenant, search="packchen") == [first]

    await wait_until(is_found, description="what was said earlier is found")
    assert await _queue(alex, search="päckchen bleibt", language="de") == [first]
    assert await _queue(alex, search="päckchen", label_id=bug) == []
    assert (await alex.get("/operator/all-active-chats", rating=6)).status in (400, 422)


async def test_views_are_saved_shared_and_counted(tenant: TenantFixture) -> None:
    owner, alex, sam = tenant.owner, tenant.alex, tenant.sam
    bug = await _add_label(owner, "Bug", scope="all")
    _, conversation_id = await tenant.assigned_conversation()
    await tenant.pending_conversation()
    await _label(alex, conversation_id, bug)

    async def save(operator: OperatorClient, name: str, filter_: dict[str, Any], **fields: Any) -> int:
        view: dict[str, Any] = (await operator.post("/views", {"name": name, "filter": filter_, **fields})).ok(201)
        return int(view["view"]["id"])

    mine = await save(alex, "My bugs", {"label_id": bug, "operator_id": alex.id})
    waiting = await save(owner, "Waiting", {"status": "pending"}, scope="all")
    done = {"status": "closed", "site_id": tenant.site_id}
    closed = await save(owner, "Done", done, scope="site", site_id=tenant.site_id)

    async def counts(operator: OperatorClient) -> dict[int, int]:
        return {row["id"]: row["count"] for row in (await operator.get("/views/counts")).ok()["counts"]}

    assert await counts(alex) == {mine: 1, waiting: 1, closed: 0}
    (await alex.post(f"/operator/close/{conversation_id}")).ok()
    assert await counts(alex) == {mine: 0, waiting: 1, closed: 1}
    assert await counts(sam) == {waiting: 1, closed: 1}, "personal views are personal"

    body = {"name": "Bugs", "filter": {"label_id": bug}}
    assert (await sam.send("PUT", f"/views/{mine}", body)).status == 404
    assert (await sam.send("DELETE", f"/views/{waiting}")).status == 403
    assert (await alex.send("PUT", f"/views/{mine}", {**body, "scope": "all"})).status == 403
    assert (await alex.post("/views", body | {"name": "MY BUGS"})).body["code"] == "view_name_taken"
    assert (await alex.post("/views", {"name": "x", "filter": {"status": "closed"}})).status in (400, 422)
    changed = (await alex.send("PUT", f"/views/{mine}", body)).ok()["view"]
    assert (changed["name"], changed["filter"]["operator_id"]) == ("Bugs", None)
    (await alex.send("DELETE", f"/views/{mine}")).ok()
    assert [view["id"] for view in (await alex.get("/views")).ok()["views"]] == [waiting, closed]
