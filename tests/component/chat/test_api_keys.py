"""API keys: shown once, acting as who made them, gone the moment they are revoked."""

from __future__ import annotations

import re

from parley.common.auth.identity import OperatorCaller
from support.office import Office


async def _key(office: Office, caller: OperatorCaller, name: str = "Export") -> tuple[int, str]:
    found = (await office.call("POST", "/api/v1/api-keys", caller, {"name": name})).ok(201)
    return found["api_key"]["id"], found["key"]


async def test_a_key_is_shown_once_and_opens_what_its_maker_may_touch(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    member = await office.new_member(owner, site["id"], can_chat=True)
    key_id, key = await _key(office, member)
    assert re.fullmatch(r"[0-9a-f]{64}", key)
    found = (await office.errand("POST", "access-by-key", {"key": key})).ok()
    assert (found["operator_id"], found["sites"]) == (member.operator_id, {str(site["id"]): ["can_chat"]})
    listed = await office.call("GET", "/api/v1/api-keys", member)
    assert [one["id"] for one in listed.ok()["api_keys"]] == [key_id]
    assert listed.body["api_keys"][0]["prefix"] == key[:8]
    assert key not in listed.raw.decode()
    entry = await office.audited(owner, "api_key.created")
    assert entry["operator"]["id"] == member.operator_id


async def test_a_use_is_noted_at_most_once_a_minute(own_office: Office) -> None:
    owner = await own_office.new_tenant()
    _, key = await _key(own_office, owner)

    async def last_used() -> str | None:
        used: str | None = (await own_office.call("GET", "/api/v1/api-keys", owner)).ok()["api_keys"][0]["last_used_at"]
        return used

    assert await last_used() is None
    await own_office.errand("POST", "access-by-key", {"key": key})
    first = await last_used()
    assert first is not None
    own_office.clock.pass_by(seconds=30)
    await own_office.errand("POST", "access-by-key", {"key": key})
    assert await last_used() == first
    own_office.clock.pass_by(seconds=31)
    await own_office.errand("POST", "access-by-key", {"key": key})
    assert await last_used() != first


async def test_a_revoked_key_opens_nothing_and_everybody_hears(office: Office) -> None:
    owner = await office.new_tenant()
    key_id, key = await _key(office, owner)
    _, other = await _key(office, owner)
    (await office.call("DELETE", f"/api/v1/api-keys/{key_id}", owner)).ok()
    assert (await office.errand("POST", "access-by-key", {"key": key})).status == 404
    (await office.errand("POST", "access-by-key", {"key": other})).ok()
    await office.heard("operator.access_changed", operator_id=owner.operator_id, session_id=None, version=2)
    assert (await office.audited(owner, "api_key.revoked"))["details"] == {"api_key": key_id}
    assert (await office.call("DELETE", f"/api/v1/api-keys/{key_id}", owner)).status == 404


async def test_nobody_sees_or_revokes_anothers_keys(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    member = await office.new_member(owner, site["id"], can_chat=True)
    key_id, key = await _key(office, member)
    assert (await office.call("GET", "/api/v1/api-keys", owner)).ok()["api_keys"] == []
    assert (await office.call("DELETE", f"/api/v1/api-keys/{key_id}", owner)).status == 404
    (await office.errand("POST", "access-by-key", {"key": key})).ok()


async def test_a_suspended_operators_key_says_so_and_a_removed_ones_opens_nothing(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    member = await office.new_member(owner, site["id"], can_chat=True)
    _, key = await _key(office, member)
    path = f"/api/v1/team/{member.operator_id}"
    (await office.call("PUT", path, owner, {"suspended": True})).ok()
    assert (await office.errand("POST", "access-by-key", {"key": key})).ok()["suspended"] is True
    (await office.call("DELETE", path, owner)).ok()
    assert (await office.errand("POST", "access-by-key", {"key": key})).status == 404


async def test_an_operator_has_twenty_keys_at_most_and_pages_through_them(office: Office) -> None:
    owner = await office.new_tenant()
    made = [(await _key(office, owner, f"Key {number}"))[0] for number in range(20)]
    full = await office.call("POST", "/api/v1/api-keys", owner, {"name": "One more"})
    assert (full.status, full.body["code"]) == (409, "too_many_api_keys")
    page = (await office.call("GET", "/api/v1/api-keys", owner, limit=15)).ok()
    rest = (await office.call("GET", "/api/v1/api-keys", owner, limit=15, cursor=page["next_cursor"])).ok()
    assert [key["id"] for key in [*page["api_keys"], *rest["api_keys"]]] == made


async def test_a_key_made_twice_with_one_idempotency_key_is_one_key(office: Office) -> None:
    owner = await office.new_tenant()

    async def make() -> bytes:
        headers = {"Idempotency-Key": "the-same"}
        reply = await office.call("POST", "/api/v1/api-keys", owner, {"name": "Export"}, headers)
        assert reply.status == 201
        return reply.raw

    first = await make()
    assert await make() == first
    assert len((await office.call("GET", "/api/v1/api-keys", owner)).ok()["api_keys"]) == 1
