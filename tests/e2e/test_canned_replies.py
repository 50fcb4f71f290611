"""Canned replies: who finds, changes and uses them, and what their texts may contain."""

from __future__ import annotations

from typing import Any

from support.api import OperatorClient
from support.authorization_matrix import PDF, file_form, image_form, make_image
from support.tenants import TenantFixture

REPLIES = "/canned-replies"


async def _add(operator: OperatorClient, shortcut: str, text: str = "Hello!", **fields: Any) -> dict[str, Any]:
    created = (await operator.post(REPLIES, {"shortcut": shortcut, "text": text, **fields})).ok(201)
    reply: dict[str, Any] = created["canned_reply"]
    return reply


async def _shortcuts(operator: OperatorClient, **query: Any) -> list[str]:
    found = (await operator.get(REPLIES, **query)).ok()["canned_replies"]
    return [reply["shortcut"] for reply in found]


async def test_a_reply_is_found_by_those_whom_its_scope_names(tenant: TenantFixture) -> None:
    owner, alex, sam = tenant.owner, tenant.alex, tenant.sam
    other_site = (await tenant.add_site())["id"]
    await _add(alex, "mine", "Nur für mich")
    await _add(owner, "shop", "Unsere Öffnungszeiten", scope="site", site_id=tenant.site_id)
    await _add(owner, "blog", "About the blog", scope="site", site_id=other_site)
    await _add(owner, "team", "Thank you, {{visitor.name|friend}}!", scope="all")

    assert await _shortcuts(alex) == ["mine", "shop", "team"]
    assert await _shortcuts(sam) == ["shop", "team"]
    assert await _shortcuts(owner) == ["shop", "blog", "team"]
    assert await _shortcuts(owner, site_id=other_site) == ["blog", "team"]
    assert (await alex.get(REPLIES, site_id=other_site)).status == 403
    assert await _shortcuts(alex, q="offnungs") == ["shop"], "the beginning of a word, without accents"
    assert await _shortcuts(alex, q="MIN") == ["mine"]
    assert await _shortcuts(alex, q="!!") == []

    first = (await owner.get(REPLIES, limit=2)).ok()
    assert await _shortcuts(owner, limit=2, cursor=first["next_cursor"]) == ["team"]


async def test_a_shared_reply_is_changed_by_managers_and_owners(tenant: TenantFixture) -> None:
    owner, alex, sam = tenant.owner, tenant.alex, tenant.sam
    manager = await tenant.add_operator("Mia", can_manage=True)
    own = await _add(alex, "hi")
    shop = await _add(manager, "hi", scope="site", site_id=tenant.site_id)
    team = await _add(owner, "hi", scope="all")

    change = {"shortcut": "hi", "text": "Good morning!"}
    assert (await sam.send("PUT", f"{REPLIES}/{own['id']}", change)).status == 404, "personal replies are personal"
    assert (await owner.send("DELETE", f"{REPLIES}/{own['id']}")).status == 404
    for_shop = {**change, "scope": "site", "site_id": tenant.site_id}
    assert (await alex.send("PUT", f"{REPLIES}/{shop['id']}", for_shop)).status == 403
    assert (await alex.post(REPLIES, {**for_shop, "shortcut": "new"})).status == 403
    assert (await manager.send("PUT", f"{REPLIES}/{team['id']}", {**change, "scope": "all"})).status == 403
    assert (await alex.send("PUT", f"{REPLIES}/{own['id']}", {**change, "scope": "all"})).status == 403
    changed = (await manager.send("PUT", f"{REPLIES}/{shop['id']}", for_shop)).ok()["canned_reply"]
    assert (changed["text"], changed["created_at"]) == ("Good morning!", shop["created_at"])

    for _ in range(2):
        used = (await sam.post(f"{REPLIES}/{shop['id']}/use")).ok()
    assert used["use_count"] == 2
    assert (await sam.post(f"{REPLIES}/{own['id']}/use")).status == 404
    (await manager.send("DELETE", f"{REPLIES}/{shop['id']}")).ok()
    assert (await manager.send("DELETE", f"{REPLIES}/{shop['id']}")).status == 404

    # Personal replies are not audited.
    created, updated = "canned_reply.created", "canned_reply.updated"
    await owner.wait_for_audit("canned_reply.deleted", updated, created, created)


INVALID: list[tuple[str, dict[str, Any]]] = [
    ("text", {"text": "Hi {{visitor.password}}"}),
    ("text", {"text": " "}),
    ("text", {"text": "x" * 4001}),
    ("shortcut", {"shortcut": "two words"}),
    ("shortcut", {"shortcut": "/hi"}),
    ("shortcut", {"shortcut": ""}),
    ("scope", {"scope": "world"}),
    ("site_id", {"scope": "site"}),
    ("image_url", {"image_url": "https://evil.test/pixel.png"}),
]


async def test_an_invalid_reply_names_the_field(tenant: TenantFixture) -> None:
    for field, fields in INVALID:
        response = await tenant.alex.post(REPLIES, {"shortcut": "hi", "text": "Hello!", **fields})
        assert (response.status, list(response.body.get("errors", ()))) == (422, [field]), fields


async def test_a_shortcut_is_unique_within_its_audience(tenant: TenantFixture) -> None:
    alex = tenant.alex
    await _add(alex, "Grüße")
    taken = await alex.post(REPLIES, {"shortcut": "grusse", "text": "Hello again!"})
    assert (taken.status, taken.body["code"]) == (409, "shortcut_taken")
    other = await _add(alex, "other")
    taken = await alex.send("PUT", f"{REPLIES}/{other['id']}", {"shortcut": "GRÜSSE", "text": "Hello!"})
    assert (taken.status, taken.body["code"]) == (409, "shortcut_taken")
    await _add(tenant.sam, "grusse")


async def test_a_reply_may_show_an_image_uploaded_here(tenant: TenantFixture) -> None:
    path, form = "/api/v1/operator/upload-image", image_form(make_image())
    url = (await tenant.api.request("POST", path, token=tenant.alex.token, data=form)).ok()["url"]
    assert (await _add(tenant.alex, "map", image_url=url))["image_url"] == url


async def test_a_reply_may_have_a_file_that_every_operator_sends(tenant: TenantFixture) -> None:
    path = "/api/v1/operator/upload-file"

    async def upload(**query: Any) -> dict[str, Any]:
        form = file_form(PDF, "terms.pdf")
        uploaded = await tenant.api.request("POST", path, token=tenant.owner.token, data=form, query=query)
        file: dict[str, Any] = uploaded.ok()["file"]
        return file

    file = await upload()
    reply = await _add(tenant.owner, "terms", scope="all", file_id=file["id"])
    assert reply["file"] == file
    (listed,) = (await tenant.sam.get(REPLIES)).ok()["canned_replies"]
    visitor, conversation_id = await tenant.pending_conversation()
    (await tenant.sam.post(f"/operator/accept/{conversation_id}")).ok()
    body = {"conversation_id": conversation_id, "content": "Here:", "file_id": listed["file"]["id"]}
    (await tenant.sam.post("/operator/message", body)).ok()
    received = (await visitor.get("/history")).ok()["messages"][-1]["file"]
    assert (received["name"], received["url"]) == ("terms.pdf", file["url"])
    for wrong in ("0" * 32, (await upload(site_id=tenant.site_id))["id"]):
        refused = await tenant.owner.post(REPLIES, {"shortcut": "x", "text": "x", "file_id": wrong})
        assert (refused.status, list(refused.body["errors"])) == (422, ["file_id"])
