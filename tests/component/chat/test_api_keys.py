"""API keys: creation, access, revocation."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.auth.token_hashing import hash_token
from parley.common.runtime.clock import to_rfc3339
from support.admin_app import PASSWORD, AdminTestApp, unique_email


async def _key(app: AdminTestApp, caller: OperatorCaller, name: str = "Export") -> tuple[int, str]:
    response = (await app.call("POST", "/api/v1/api-keys", caller, {"name": name})).ok(201)
    return response["api_key"]["id"], response["key"]


async def test_a_key_grants_the_access_of_its_creator_and_its_text_is_returned_once(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    member = await app.create_member(owner, site["id"], can_chat=True)
    key_id, key = await _key(app, member)
    assert re.fullmatch(r"[0-9a-f]{64}", key)
    response = (await app.call_internal("POST", "access-by-key", {"key": key})).ok()
    assert (response["operator_id"], response["sites"]) == (member.operator_id, {str(site["id"]): ["can_chat"]})
    listed = await app.call("GET", "/api/v1/api-keys", member)
    assert [one["id"] for one in listed.ok()["api_keys"]] == [key_id]
    assert listed.body["api_keys"][0]["prefix"] == key[:8]
    assert key not in listed.raw.decode()
    entry = await app.wait_for_audit_entry(owner, "api_key.created")
    assert entry["operator"]["id"] == member.operator_id


async def test_last_use_is_recorded_at_most_once_a_minute(isolated_app: AdminTestApp) -> None:
    owner = await isolated_app.create_tenant()
    _, key = await _key(isolated_app, owner)

    async def last_used() -> str | None:
        used: str | None = (await isolated_app.call("GET", "/api/v1/api-keys", owner)).ok()["api_keys"][0][
            "last_used_at"
        ]
        return used

    assert await last_used() is None
    await isolated_app.call_internal("POST", "access-by-key", {"key": key})
    first = await last_used()
    assert first is not None
    isolated_app.clock.advance(seconds=30)
    await isolated_app.call_internal("POST", "access-by-key", {"key": key})
    assert await last_used() == first
    isolated_app.clock.advance(seconds=31)
    await isolated_app.call_internal("POST", "access-by-key", {"key": key})
    assert await last_used() != first


async def test_a_revoked_key_is_rejected_and_an_event_is_published(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    key_id, key = await _key(app, owner)
    _, other = await _key(app, owner)
    (await app.call("DELETE", f"/api/v1/api-keys/{key_id}", owner)).ok()
    assert (await app.call_internal("POST", "access-by-key", {"key": key})).status == 404
    (await app.call_internal("POST", "access-by-key", {"key": other})).ok()
    await app.wait_for_event("operator.access_changed", operator_id=owner.operator_id, session_id=None, version=2)
    assert (await app.wait_for_audit_entry(owner, "api_key.revoked"))["details"] == {"api_key": key_id}
    assert (await app.call("DELETE", f"/api/v1/api-keys/{key_id}", owner)).status == 404


async def test_operators_can_only_list_and_revoke_their_own_keys(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    member = await app.create_member(owner, site["id"], can_chat=True)
    key_id, key = await _key(app, member)
    assert (await app.call("GET", "/api/v1/api-keys", owner)).ok()["api_keys"] == []
    assert (await app.call("DELETE", f"/api/v1/api-keys/{key_id}", owner)).status == 404
    (await app.call_internal("POST", "access-by-key", {"key": key})).ok()


async def test_the_key_of_a_suspended_operator_says_so_and_that_of_a_removed_one_is_rejected(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    member = await app.create_member(owner, site["id"], can_chat=True)
    _, key = await _key(app, member)
    path = f"/api/v1/team/{member.operator_id}"
    (await app.call("PUT", path, owner, {"suspended": True})).ok()
    assert (await app.call_internal("POST", "access-by-key", {"key": key})).ok()["suspended"] is True
    (await app.call("DELETE", path, owner)).ok()
    assert (await app.call_internal("POST", "access-by-key", {"key": key})).status == 404


async def test_an_operator_has_at_most_twenty_keys_listed_in_pages(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    created = [(await _key(app, owner, f"Key {number}"))[0] for number in range(20)]
    full = await app.call("POST", "/api/v1/api-keys", owner, {"name": "One more"})
    assert (full.status, full.body["code"]) == (409, "too_many_api_keys")
    page = (await app.call("GET", "/api/v1/api-keys", owner, limit=15)).ok()
    rest = (await app.call("GET", "/api/v1/api-keys", owner, limit=15, cursor=page["next_cursor"])).ok()
    assert [key["id"] for key in [*page["api_keys"], *rest["api_keys"]]] == created


async def test_creating_a_key_is_idempotent_by_idempotency_key(app: AdminTestApp) -> None:
    owner = await app.create_tenant()

    async def create() -> bytes:
        headers = {"Idempotency-Key": "the-same"}
        response = await app.call("POST", "/api/v1/api-keys", owner, {"name": "Export"}, headers)
        assert response.status == 201
        return response.raw

    first = await create()
    assert await create() == first
    assert len((await app.call("GET", "/api/v1/api-keys", owner)).ok()["api_keys"]) == 1


async def test_a_key_has_its_scopes_and_never_acts_as_an_owner(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    body: dict[str, Any] = {"name": "Reader", "scopes": ["can_view_conversations", "can_chat"]}
    created = (await app.call("POST", "/api/v1/api-keys", owner, body)).ok(201)
    assert created["api_key"]["scopes"] == ["can_chat", "can_view_conversations"]
    access = (await app.call_internal("POST", "access-by-key", {"key": created["key"]})).ok()
    assert (access["owner"], access["api_key_id"]) == (False, created["api_key"]["id"])
    assert access["sites"] == {str(site["id"]): ["can_chat", "can_view_conversations"]}
    # A scope gives no permission that the operator does not have.
    member = await app.create_member(owner, site["id"], can_chat=True)
    created = (await app.call("POST", "/api/v1/api-keys", member, {**body, "scopes": list(Permission)})).ok(201)
    access = (await app.call_internal("POST", "access-by-key", {"key": created["key"]})).ok()
    assert access["sites"] == {str(site["id"]): ["can_chat"]}
    for scopes in ([], ["everything"]):
        assert (await app.call("POST", "/api/v1/api-keys", owner, {**body, "scopes": scopes})).status == 422


async def test_the_hash_of_a_key_gives_the_access_of_the_key(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    created = await app.call("POST", "/api/v1/api-keys", owner, {"name": "Read", "scopes": ["can_view_conversations"]})
    key = created.ok(201)
    path, query = f"access/{owner.operator_id}", {"api_key_hash": hash_token(key["key"])}
    access = (await app.call_internal("GET", path, **query)).ok()
    assert (access["owner"], access["sites"]) == (False, {str(site["id"]): ["can_view_conversations"]})
    (await app.call("DELETE", f"/api/v1/api-keys/{key['api_key']['id']}", owner)).ok()
    assert (await app.call_internal("GET", path, **query)).status == 404


async def test_a_key_expires(isolated_app: AdminTestApp) -> None:
    app = isolated_app
    owner = await app.create_tenant()
    expiry = to_rfc3339(app.clock() + timedelta(days=30))
    created = (await app.call("POST", "/api/v1/api-keys", owner, {"name": "Export", "expires_at": expiry})).ok(201)
    assert created["api_key"]["expires_at"] == expiry
    access = (await app.call_internal("POST", "access-by-key", {"key": created["key"]})).ok()
    assert abs(access["key_expires_at"] - (app.clock() + timedelta(days=30)).timestamp()) < 60
    app.clock.advance(days=31)
    assert (await app.call_internal("POST", "access-by-key", {"key": created["key"]})).status == 404
    past = {"name": "Export", "expires_at": expiry}
    refused = await app.call("POST", "/api/v1/api-keys", owner, past)
    assert (refused.status, list(refused.body["errors"])) == (422, ["expires_at"])


async def test_a_key_cannot_make_or_change_credentials(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    key_id, _ = await _key(app, owner)
    other_id, _ = await _key(app, owner, "Other")
    with_key = replace(owner, api_key_id=key_id)
    invitation = {"email": unique_email("i"), "name": "Ina"}
    invited = (await app.call("POST", "/api/v1/team", owner, invitation)).ok(201)["member"]
    member = {"email": unique_email("m"), "name": "Max", "password": PASSWORD}
    change = {"current_password": PASSWORD, "new_password": "another long password"}
    requests: list[tuple[str, str, dict[str, Any] | None]] = [
        ("POST", "/api/v1/api-keys", {"name": "Another"}),
        ("DELETE", f"/api/v1/api-keys/{other_id}", None),
        ("POST", "/api/v1/auth/change-password", change),
        ("POST", "/api/v1/team", member),
        ("POST", "/api/v1/team", {**member, "password": None, "owner": True}),
        # The link of an invitation is enough to log in.
        ("POST", "/api/v1/team", {**member, "password": None}),
        ("POST", f"/api/v1/team/{invited['id']}/invitation", None),
    ]
    for method, path, body in requests:
        refused = await app.call(method, path, with_key, body)
        assert (refused.status, refused.body["code"]) == (403, "not_with_api_key"), path
    (await app.call("DELETE", f"/api/v1/api-keys/{key_id}", with_key)).ok()
    entry = await app.wait_for_audit_entry(owner, "api_key.revoked")
    assert entry["details"] == {"api_key": key_id, "with_api_key": key_id}


async def test_a_password_change_revokes_the_keys_on_request(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    _, key = await _key(app, owner)
    path, body = "/api/v1/auth/change-password", {"current_password": PASSWORD, "new_password": "another long password"}
    (await app.call("POST", path, owner, body)).ok()
    (await app.call_internal("POST", "access-by-key", {"key": key})).ok()
    body = {"current_password": body["new_password"], "new_password": "a third long password"}
    (await app.call("POST", path, owner, {**body, "revoke_api_keys": True})).ok()
    assert (await app.call_internal("POST", "access-by-key", {"key": key})).status == 404
    assert (await app.call("GET", "/api/v1/api-keys", owner)).ok()["api_keys"] == []
    await app.wait_for_event("operator.access_changed", operator_id=owner.operator_id, version=3)


async def test_a_key_of_an_older_version_keeps_working(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    key_id, key = await _key(app, owner)
    await app.mongo["operators"].update_one(
        {"_id": owner.operator_id}, {"$unset": {"api_keys.0.scopes": "", "api_keys.0.expires_at": ""}}
    )
    access = (await app.call_internal("POST", "access-by-key", {"key": key})).ok()
    assert (access["owner"], access["api_key_id"], access["key_expires_at"]) == (True, key_id, None)


async def test_a_key_with_scopes_changes_and_sees_nothing_of_its_operator_beyond_them(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    other, _ = await _key(app, owner, "Other")
    body = {"name": "Reader", "scopes": ["can_view_conversations"]}
    created = (await app.call("POST", "/api/v1/api-keys", owner, body)).ok(201)
    access = (await app.call_internal("POST", "access-by-key", {"key": created["key"]})).ok()
    assert access["key_scopes"] == ["can_view_conversations"]
    key_id = created["api_key"]["id"]
    scopes = frozenset({Permission.VIEW})
    reader = replace(
        owner, login_session_id=None, owner=False, sites={site["id"]: scopes}, api_key_id=key_id, api_key_scopes=scopes
    )
    for changed in ({"name": "Mallory"}, {"language": "fr"}):
        refused = await app.call("PUT", "/api/v1/auth/me", reader, changed)
        assert (refused.status, refused.body["code"]) == (403, "forbidden")
    me = (await app.call("GET", "/api/v1/auth/me", reader)).ok()["user"]
    assert (me["owner"], me["sites"]) == (False, {str(site["id"]): ["can_view_conversations"]})
    listed = (await app.call("GET", "/api/v1/api-keys", reader)).ok()["api_keys"]
    assert [key["id"] for key in listed] == [key_id]
    assert (await app.call("DELETE", f"/api/v1/api-keys/{other}", reader)).status == 403
    (await app.call("DELETE", f"/api/v1/api-keys/{key_id}", reader)).ok()
    unscoped = replace(owner, login_session_id=None, api_key_id=other)
    assert (await app.call("PUT", "/api/v1/auth/me", unscoped, {"language": "fr"})).ok()["user"]["language"] == "fr"
