"""Logging in, staying in, getting out."""

from __future__ import annotations

import asyncio

from support.office import PASSWORD, Login, Office, new_email, without

NEW_PASSWORD = "another long password"


async def _owner(office: Office) -> Login:
    email = new_email("owner")
    await office.administration.create_tenant("Tenant", email, PASSWORD, "Olivia Owner")
    return await office.log_in(email)


async def _access(office: Office, login: Login) -> int:
    return (await office.errand("GET", f"access/{login.operator_id}", session_id=login.session_id)).status


async def test_a_login_answers_a_session_tokens_and_what_the_operator_may_touch(office: Office) -> None:
    email = new_email("owner")
    await office.administration.create_tenant("Tenant", email, PASSWORD, "Olivia Owner")
    found = (await office.errand("POST", "login", {"email": email.upper(), "password": PASSWORD})).ok()
    assert found["refresh_expires_in"] == 30 * 24 * 3600
    assert found["session_id"]
    assert found["refresh_token"]
    access = found["access"]
    assert (access["email"], access["owner"], access["suspended"], access["version"]) == (email, True, False, 1)
    assert access["sites"] == {}
    caller = await office.caller(access["operator_id"])
    entry = await office.audited(caller, "session.login")
    assert entry["operator"] == {"id": access["operator_id"], "name": "Olivia Owner"}
    assert entry["address"] == office.address


async def test_a_wrong_password_and_an_unknown_address_are_answered_alike(office: Office) -> None:
    owner = await _owner(office)
    wrong = await office.errand(
        "POST", "login", {"email": owner.email, "password": "not this one"}, address="192.0.2.1"
    )
    nobody = await office.errand("POST", "login", {"email": new_email("x"), "password": PASSWORD}, address="192.0.2.1")
    assert wrong.status == nobody.status == 401
    shown = [{name: reply.body[name] for name in ("code", "error")} for reply in (wrong, nobody)]
    assert shown[0] == shown[1]
    assert shown[0]["code"] == "bad_credentials"


async def test_failures_slow_down_then_block_and_a_success_forgets_them(own_office: Office) -> None:
    owner = await _owner(own_office)

    async def attempt(password: str) -> tuple[int, dict[str, object]]:
        body = {"email": owner.email, "password": password}
        reply = await own_office.errand("POST", "login", body, address="192.0.2.7")
        return reply.status, reply.body

    for _ in range(5):
        assert (await attempt("wrong wrong"))[0] == 401
    status, body = await attempt(PASSWORD)
    assert (status, body["code"], body["retry_after"]) == (429, "login_slowed", 2)
    own_office.clock.pass_by(seconds=3)
    assert (await attempt(PASSWORD))[0] == 200
    for _ in range(10):
        status, body = await attempt("wrong wrong")
        assert status == 401
        own_office.clock.pass_by(seconds=61)
    own_office.clock.pass_by(seconds=-61)
    status, body = await attempt(PASSWORD)
    assert (status, body["code"]) == (429, "login_blocked")
    assert isinstance(body["retry_after"], int)
    assert 890 <= body["retry_after"] <= 901
    assert str(body["blocked_until"]).endswith("Z")
    own_office.clock.pass_by(minutes=15, seconds=2)
    assert (await attempt(PASSWORD))[0] == 200


async def test_guessing_in_parallel_gets_no_more_tries_than_one_by_one(own_office: Office) -> None:
    email = new_email("target")
    body = {"email": email, "password": "a guess of many"}
    tries = [own_office.errand("POST", "login", body, address=f"203.0.113.{number}") for number in range(40)]
    statuses = [reply.status for reply in await asyncio.gather(*tries)]
    assert statuses.count(401) <= 6  # five, and one more for the second place at hashing
    assert set(statuses) == {401, 429}


async def test_an_address_that_guesses_many_accounts_is_blocked_too(own_office: Office) -> None:
    for _ in range(100):
        own_office.clock.pass_by(seconds=61)
        await own_office.administration._accounts.guard.failed(new_email("guess"), "192.0.2.99")
    reply = await own_office.errand(
        "POST", "login", {"email": new_email("x"), "password": PASSWORD}, address="192.0.2.99"
    )
    assert (reply.status, reply.body["code"]) == (429, "login_blocked")


async def test_a_refresh_token_is_good_once_and_gives_the_next(office: Office) -> None:
    login = await _owner(office)
    first = (await office.errand("POST", "refresh", {"refresh_token": login.refresh_token})).ok()
    assert first["session_id"] == login.session_id
    second = (await office.errand("POST", "refresh", {"refresh_token": first["refresh_token"]})).ok()
    assert len({login.refresh_token, first["refresh_token"], second["refresh_token"]}) == 3
    assert await _access(office, login) == 200


async def test_a_refresh_token_used_twice_ends_the_whole_session_and_everybody_hears(office: Office) -> None:
    login = await _owner(office)
    fresh = (await office.errand("POST", "refresh", {"refresh_token": login.refresh_token})).ok()["refresh_token"]
    again = await office.errand("POST", "refresh", {"refresh_token": login.refresh_token})
    assert (again.status, again.body["code"]) == (401, "bad_refresh_token")
    assert (await office.errand("POST", "refresh", {"refresh_token": fresh})).status == 401
    assert await _access(office, login) == 404
    event = await office.heard("operator.access_changed", session_id=login.session_id)
    assert event.data["operator_id"] == login.operator_id
    owner = await office.caller(login.operator_id)
    await office.audited(owner, "session.token_reused")


async def test_of_many_refreshes_with_one_token_at_most_one_succeeds(office: Office) -> None:
    login = await _owner(office)
    body = {"refresh_token": login.refresh_token}
    replies = await asyncio.gather(*(office.errand("POST", "refresh", body) for _ in range(8)))
    statuses = sorted(reply.status for reply in replies)
    assert statuses == [200, *[401] * 7]
    assert await _access(office, login) == 404


async def test_a_made_up_token_with_a_real_session_id_ends_nothing(office: Office) -> None:
    login = await _owner(office)
    forged = await office.errand("POST", "refresh", {"refresh_token": f"{login.session_id}.guess"})
    assert forged.status == 401
    assert await _access(office, login) == 200


async def test_logout_ends_the_session_by_id_or_by_token(office: Office) -> None:
    login = await _owner(office)
    other = await office.log_in(login.email)
    (await office.errand("POST", "logout", {"session_id": login.session_id})).ok()
    assert await _access(office, login) == 404
    assert await _access(office, other) == 200
    (await office.errand("POST", "logout", {"refresh_token": other.refresh_token})).ok()
    assert await _access(office, other) == 404
    await office.heard("operator.access_changed", session_id=login.session_id)
    (await office.errand("POST", "logout", {"session_id": "nothing"})).ok()


async def test_a_session_runs_out_after_thirty_days_without_a_refresh(own_office: Office) -> None:
    login = await _owner(own_office)
    own_office.clock.pass_by(days=29)
    fresh = (await own_office.errand("POST", "refresh", {"refresh_token": login.refresh_token})).ok()
    own_office.clock.pass_by(days=29)
    assert await _access(own_office, login) == 200
    own_office.clock.pass_by(days=2)
    assert await _access(own_office, login) == 404
    reply = await own_office.errand("POST", "refresh", {"refresh_token": fresh["refresh_token"]})
    assert reply.status == 401


async def test_a_new_password_ends_every_other_session_at_once(office: Office) -> None:
    here = await _owner(office)
    there = await office.log_in(here.email)
    caller = await office.caller(here)
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    (await office.call("POST", "/api/v1/auth/change-password", caller, body)).ok()
    assert await _access(office, here) == 200
    assert await _access(office, there) == 404
    assert (await office.errand("POST", "refresh", {"refresh_token": there.refresh_token})).status == 401
    (await office.errand("POST", "refresh", {"refresh_token": here.refresh_token})).ok()
    wrong = await office.errand("POST", "login", {"email": here.email, "password": PASSWORD})
    assert wrong.status == 401
    await office.log_in(here.email, NEW_PASSWORD)
    await office.heard("operator.access_changed", operator_id=here.operator_id, session_id=None, version=2)
    await office.audited(caller, "account.password_changed")


async def test_a_new_password_needs_the_present_one_and_ten_characters(office: Office) -> None:
    login = await _owner(office)
    caller = without(await office.caller(login), address="192.0.2.33")
    path = "/api/v1/auth/change-password"
    wrong = await office.call("POST", path, caller, {"current_password": "no", "new_password": NEW_PASSWORD})
    assert (wrong.status, list(wrong.body["errors"])) == (422, ["current_password"])
    short = await office.call("POST", path, caller, {"current_password": PASSWORD, "new_password": "short"})
    assert (short.status, list(short.body["errors"])) == (422, ["new_password"])
    for _ in range(4):
        await office.call("POST", path, caller, {"current_password": "no", "new_password": NEW_PASSWORD})
    slowed = await office.call("POST", path, caller, {"current_password": PASSWORD, "new_password": NEW_PASSWORD})
    assert slowed.status == 429


async def test_my_own_account_is_shown_and_changed(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    member = await office.new_member(owner, site["id"], can_chat=True)
    found = (await office.call("GET", "/api/v1/auth/me", member)).ok()["user"]
    assert found["id"] == member.operator_id
    assert found["sites"] == {str(site["id"]): ["can_chat"]}
    assert found["tenant"] == {"id": owner.tenant_id, "name": "Tenant"}
    assert "password" not in str(found)
    body = {"name": "Maxine", "language": "fr", "owner": True}
    changed = (await office.call("PUT", "/api/v1/auth/me", member, body)).ok()["user"]
    assert (changed["name"], changed["language"], changed["owner"]) == ("Maxine", "fr", False)
    assert (await office.caller(member.operator_id)).name == "Maxine"
    await office.heard("operator.access_changed", operator_id=member.operator_id, version=2)
    wrong = await office.call("PUT", "/api/v1/auth/me", member, {"name": {"$ne": 1}})
    assert wrong.status == 422


async def test_a_suspended_operator_is_told_so_only_with_the_right_password(office: Office) -> None:
    owner = await office.new_tenant()
    site = await office.new_site(owner)
    member = await office.new_member(owner, site["id"], can_chat=True)
    email = (await office.call("GET", "/api/v1/auth/me", member)).ok()["user"]["email"]
    login = await office.log_in(email)
    (await office.call("PUT", f"/api/v1/team/{member.operator_id}", owner, {"suspended": True})).ok()
    right = await office.errand("POST", "login", {"email": email, "password": PASSWORD}, address="192.0.2.3")
    wrong = await office.errand("POST", "login", {"email": email, "password": "no no no"}, address="192.0.2.3")
    assert (right.status, right.body["code"]) == (401, "operator_suspended")
    assert (wrong.status, wrong.body["code"]) == (401, "bad_credentials")
    assert (await office.errand("POST", "refresh", {"refresh_token": login.refresh_token})).status == 401
    found = (await office.errand("GET", f"access/{member.operator_id}")).ok()
    assert found["suspended"] is True


async def test_the_first_owner_is_made_once_however_many_replicas_start(servers: tuple[str, str]) -> None:
    email = new_email("first")
    office = await Office.open(*servers, owner_email=email, owner_password=PASSWORD)
    try:
        accounts = office.administration._accounts
        await asyncio.gather(*(accounts.ensure_first_owner("Parley", email, PASSWORD, "first") for _ in range(4)))
        assert await office.mongo["operators"].count_documents({}) == 1
        assert await office.mongo["tenants"].count_documents({}) == 1
        login = await office.log_in(email)
        # Whatever becomes of the account, another start does not make a second.
        await office.mongo["operators"].update_one({"_id": login.operator_id}, {"$set": {"email": new_email("moved")}})
        await accounts.ensure_first_owner("Parley", email, PASSWORD, "first")
        assert await office.mongo["operators"].count_documents({}) == 1
    finally:
        await office.close()


async def test_errands_are_the_gateways_alone(office: Office) -> None:
    owner = await office.new_tenant()
    assert (await office.call("GET", f"/internal/access/{owner.operator_id}", owner)).status == 401
    assert (await office.call("GET", f"/internal/access/{owner.operator_id}", None)).status == 401
    assert (await office.errand("GET", "access/999999999999")).status == 404


async def test_nothing_kept_holds_a_password_or_a_token(own_office: Office) -> None:
    login = await _owner(own_office)
    fresh = (await own_office.errand("POST", "refresh", {"refresh_token": login.refresh_token})).ok()["refresh_token"]
    owner = await own_office.caller(login)
    key = (await own_office.call("POST", "/api/v1/api-keys", owner, {"name": "Export"})).ok(201)["key"]
    body = {"email": new_email("new"), "name": "New", "site_ids": []}
    token = (await own_office.call("POST", "/api/v1/team", owner, body)).ok(201)["invitation"]["token"]
    kept = [
        str(row)
        for name in await own_office.mongo.database.list_collection_names()
        async for row in own_office.mongo[name].find()
    ]
    known = [PASSWORD, fresh, login.refresh_token, *fresh.split("."), key, token]
    assert not [secret for secret in known if any(secret in row for row in kept)]
