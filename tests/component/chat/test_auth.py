"""Login, refresh, logout, passwords, and the first owner."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest

from parley.chat.accounts.argon2_hasher import Argon2PasswordHasher
from parley.chat.accounts.login_throttling import LoginOrigin
from parley.common.auth.identity import OperatorCaller
from parley.common.auth.token_hashing import hash_token
from parley.common.errors import ValidationFailed
from support.admin_app import PASSWORD, AdminTestApp, LoginSession, StartApp, unique_email
from support.api import ApiResponse
from support.wait import wait_until

NEW_PASSWORD = "another long password"


async def _owner(app: AdminTestApp) -> LoginSession:
    email = unique_email("owner")
    await app.admin.accounts.create_tenant("Tenant", email, PASSWORD, "Olivia Owner")
    return await app.log_in(email)


async def _access(app: AdminTestApp, login: LoginSession) -> int:
    return (await app.call_internal("GET", f"access/{login.operator_id}", session_id=login.session_id)).status


async def test_a_login_returns_session_tokens_and_access(app: AdminTestApp) -> None:
    email = unique_email("owner")
    await app.admin.accounts.create_tenant("Tenant", email, PASSWORD, "Olivia Owner")
    response = (await app.call_internal("POST", "login", {"email": email.upper(), "password": PASSWORD})).ok()
    assert response["refresh_expires_in"] == 30 * 24 * 3600
    assert response["session_id"]
    assert response["refresh_token"]
    access = response["access"]
    assert (access["email"], access["owner"], access["suspended"], access["version"]) == (email, True, False, 1)
    assert access["sites"] == {}
    caller = await app.get_caller(access["operator_id"])
    entry = await app.wait_for_audit_entry(caller, "session.login")
    assert entry["operator"] == {"id": access["operator_id"], "name": "Olivia Owner"}
    assert entry["address"] == app.client_ip


async def test_a_wrong_password_and_an_unknown_email_get_the_same_response(app: AdminTestApp) -> None:
    owner = await _owner(app)
    wrong = await app.call_internal(
        "POST", "login", {"email": owner.email, "password": "not this one"}, client_ip="192.0.2.1"
    )
    unknown = await app.call_internal(
        "POST", "login", {"email": unique_email("x"), "password": PASSWORD}, client_ip="192.0.2.1"
    )
    assert wrong.status == unknown.status == 401
    bodies = [{name: response.body[name] for name in ("code", "error")} for response in (wrong, unknown)]
    assert bodies[0] == bodies[1]
    assert bodies[0]["code"] == "bad_credentials"


async def test_failed_logins_are_delayed_then_blocked_and_reset_by_a_success(isolated_app: AdminTestApp) -> None:
    owner = await _owner(isolated_app)

    async def attempt(password: str) -> tuple[int, dict[str, object]]:
        body = {"email": owner.email, "password": password}
        response = await isolated_app.call_internal("POST", "login", body, client_ip="192.0.2.7")
        return response.status, response.body

    for _ in range(5):
        assert (await attempt("wrong wrong"))[0] == 401
    status, body = await attempt(PASSWORD)
    assert (status, body["code"], body["retry_after"]) == (429, "login_slowed", 2)
    isolated_app.clock.advance(seconds=3)
    assert (await attempt(PASSWORD))[0] == 200
    for _ in range(10):
        status, body = await attempt("wrong wrong")
        assert status == 401
        isolated_app.clock.advance(seconds=61)
    isolated_app.clock.advance(seconds=-61)
    status, body = await attempt(PASSWORD)
    assert (status, body["code"]) == (429, "login_blocked")
    assert isinstance(body["retry_after"], int)
    assert 890 <= body["retry_after"] <= 901
    assert str(body["blocked_until"]).endswith("Z")
    isolated_app.clock.advance(minutes=15, seconds=2)
    assert (await attempt(PASSWORD))[0] == 200


async def test_parallel_guesses_gain_no_extra_attempts(isolated_app: AdminTestApp) -> None:
    email = unique_email("target")
    body = {"email": email, "password": "a guess of many"}
    attempts = [
        isolated_app.call_internal("POST", "login", body, client_ip=f"203.0.113.{number}") for number in range(40)
    ]
    statuses = [response.status for response in await asyncio.gather(*attempts)]
    assert statuses.count(401) <= 6  # Five, and one more for the second slot of the hasher.
    assert set(statuses) == {401, 429}


async def test_a_stranger_who_guesses_does_not_lock_the_operator_out(isolated_app: AdminTestApp) -> None:
    app = isolated_app
    login = await _owner(app)  # From the app's address.

    async def attempt(password: str, client_ip: str, device: str | None = None) -> ApiResponse:
        body = {"email": login.email, "password": password, "device_token": device}
        return await app.call_internal("POST", "login", body, client_ip=client_ip)

    device = (await attempt(PASSWORD, "2001:db8:1::1")).ok()["device_token"]
    for number in range(10):
        assert (await attempt("a wrong guess", f"203.0.113.{number}")).status == 401
        app.clock.advance(seconds=61)
    app.clock.advance(seconds=-61)
    assert (await attempt(PASSWORD, "203.0.113.200")).body["code"] == "login_blocked", "an unknown device waits"
    assert (await attempt(PASSWORD, "203.0.113.200", "no such device")).status == 429
    assert (await attempt(PASSWORD, "203.0.113.201", device)).status == 200, "a known device"
    assert (await attempt(PASSWORD, "2001:db8:1::beef")).status == 200, "a known network"
    assert (await attempt(PASSWORD, app.client_ip)).status == 200
    assert (await attempt(PASSWORD, "203.0.113.202")).status == 429
    # Somebody who shares the operator's address, for example in an office, is stopped; the operator's device is not.
    for _ in range(5):
        await attempt("a wrong guess", app.client_ip)
    assert (await attempt(PASSWORD, app.client_ip)).status == 429
    assert (await attempt(PASSWORD, app.client_ip, device)).status == 200


async def test_the_operator_and_the_owner_hear_of_failed_logins(isolated_app: AdminTestApp) -> None:
    app = isolated_app
    login = await _owner(app)
    for _ in range(10):
        body = {"email": login.email, "password": "a wrong guess"}
        assert (await app.call_internal("POST", "login", body, client_ip="203.0.113.9")).status == 401
        app.clock.advance(seconds=61)
    body = {"email": login.email, "password": PASSWORD}
    assert (await app.call_internal("POST", "login", body)).ok()["failed_attempts"] == 10
    assert (await app.call_internal("POST", "login", body)).ok()["failed_attempts"] == 0
    owner = await app.get_caller(login.operator_id)
    for action in ("session.login_failed", "session.login_blocked"):
        entry = await app.wait_for_audit_entry(owner, action)
        assert (entry["operator"]["id"], entry["address"]) == (None, "203.0.113.9")
        assert entry["target"] == {"kind": "operator", "id": str(login.operator_id)}


@dataclass(frozen=True, slots=True)
class SharedAddress:
    """An address with accounts of two tenants: `first` is older, and `second` may be somebody else's."""

    app: AdminTestApp
    email: str
    first: int
    second: int
    second_owner: OperatorCaller

    async def log_in(
        self, password: str, client_ip: str, device: str | None = None, tenant_id: int | None = None
    ) -> ApiResponse:
        body = {"email": self.email, "password": password, "device_token": device, "tenant_id": tenant_id}
        return await self.app.call_internal("POST", "login", body, client_ip=client_ip)


async def _share_address(app: AdminTestApp, second_password: str) -> SharedAddress:
    owner, second_owner = await app.create_tenant(), await app.create_tenant()
    email = unique_email("ina")
    ids = []
    for caller, password in ((owner, PASSWORD), (second_owner, second_password)):
        body = {"email": email, "name": "Ina", "password": password}
        ids.append((await app.call("POST", "/api/v1/team", caller, body)).ok(201)["member"]["id"])
    return SharedAddress(app, email, ids[0], ids[1], second_owner)


async def test_the_password_decides_which_team_is_logged_in_to(app: AdminTestApp) -> None:
    shared = await _share_address(app, NEW_PASSWORD)
    for password, operator_id in ((PASSWORD, shared.first), (NEW_PASSWORD, shared.second)):
        response = (await shared.log_in(password, "192.0.2.40")).ok()
        assert response["access"]["operator_id"] == operator_id
    assert (await shared.log_in("neither of the two", "192.0.2.40")).body["code"] == "bad_credentials"


async def test_a_password_that_fits_two_teams_asks_which(app: AdminTestApp) -> None:
    shared = await _share_address(app, PASSWORD)
    response = await shared.log_in(PASSWORD, "192.0.2.41")
    assert (response.status, response.body["code"]) == (409, "choose_team")
    teams = response.body["teams"]
    assert [team["name"] for team in teams] == ["Tenant", "Tenant"]
    entered = {
        (await shared.log_in(PASSWORD, "192.0.2.41", None, team["id"])).ok()["access"]["operator_id"] for team in teams
    }
    assert entered == {shared.first, shared.second}
    assert (await shared.log_in(PASSWORD, "192.0.2.42", None, 2**50)).body["code"] == "bad_credentials"


async def test_an_account_of_ones_own_gives_no_attempts_at_another_of_the_address(isolated_app: AdminTestApp) -> None:
    shared = await _share_address(isolated_app, NEW_PASSWORD)
    at_home = "192.0.2.50"
    assert (await shared.log_in(NEW_PASSWORD, at_home)).status == 200
    assert (await shared.log_in(PASSWORD, "198.51.100.1")).ok()["access"]["operator_id"] == shared.first
    member = replace(await isolated_app.get_caller(shared.second), client_ip=at_home)

    async def change_password(current: str, new: str) -> None:
        body = {"current_password": current, "new_password": new}
        (await isolated_app.call("POST", "/api/v1/auth/change-password", member, body)).ok()

    async def enters_second(password: str, client_ip: str) -> bool:
        operator_id = (await shared.log_in(password, client_ip)).ok()["access"]["operator_id"]
        return bool(operator_id == shared.second)

    # They give their own account the password that they want to try, and log in where they are known.
    await change_password(NEW_PASSWORD, PASSWORD)
    assert await enters_second(PASSWORD, at_home), "the other account stays hidden"
    await change_password(PASSWORD, NEW_PASSWORD)
    # Where they are not known, each login counts as a stranger's wrong guess at the other account.
    for number in range(5):
        assert await enters_second(NEW_PASSWORD, f"192.0.2.{60 + number}")
    await change_password(NEW_PASSWORD, PASSWORD)
    assert await enters_second(PASSWORD, "192.0.2.70"), "the other account is not tried"
    assert (await shared.log_in(PASSWORD, "198.51.100.1")).ok()["access"]["operator_id"] == shared.first


class CountingHasher(Argon2PasswordHasher):
    """Counts the passwords that it hashes."""

    hashed = 0

    async def hash(self, password: str, same_salt_as: str | None = None) -> str:
        self.hashed += 1
        return await super().hash(password, same_salt_as)


async def test_a_new_password_is_hashed_only_after_the_current_one_was_checked(app: AdminTestApp) -> None:
    hasher = CountingHasher()
    accounts = replace(app.admin.accounts, passwords=hasher)
    owner = await app.create_tenant()
    with pytest.raises(ValidationFailed):
        await accounts.change_password(owner, "not the current one", NEW_PASSWORD)
    assert hasher.hashed == 0
    hasher.close()


async def test_a_client_ip_that_guesses_many_accounts_is_blocked(isolated_app: AdminTestApp) -> None:
    for _ in range(100):
        isolated_app.clock.advance(seconds=61)
        await isolated_app.admin.accounts.login_throttle.record_failure(
            [unique_email("guess")], LoginOrigin("192.0.2.99")
        )
    response = await isolated_app.call_internal(
        "POST", "login", {"email": unique_email("x"), "password": PASSWORD}, client_ip="192.0.2.99"
    )
    assert (response.status, response.body["code"]) == (429, "login_blocked")


async def test_a_refresh_token_can_be_exchanged_once(app: AdminTestApp) -> None:
    login = await _owner(app)
    first = (await app.call_internal("POST", "refresh", {"refresh_token": login.refresh_token})).ok()
    assert first["session_id"] == login.session_id
    second = (await app.call_internal("POST", "refresh", {"refresh_token": first["refresh_token"]})).ok()
    assert len({login.refresh_token, first["refresh_token"], second["refresh_token"]}) == 3
    assert await _access(app, login) == 200


async def _refresh(app: AdminTestApp, token: str) -> str:
    response = (await app.call_internal("POST", "refresh", {"refresh_token": token})).ok()
    return str(response["refresh_token"])


async def test_a_refresh_token_reused_later_ends_the_session_and_publishes_an_event(isolated_app: AdminTestApp) -> None:
    app = isolated_app
    login = await _owner(app)
    next_token = await _refresh(app, login.refresh_token)
    app.clock.advance(seconds=31)
    reused = await app.call_internal("POST", "refresh", {"refresh_token": login.refresh_token})
    assert (reused.status, reused.body["code"]) == (401, "bad_refresh_token")
    assert (await app.call_internal("POST", "refresh", {"refresh_token": next_token})).status == 401
    assert await _access(app, login) == 404
    event = await app.wait_for_event("operator.access_changed", session_id=login.session_id)
    assert event.data["operator_id"] == login.operator_id
    owner = await app.get_caller(login.operator_id)
    await app.wait_for_audit_entry(owner, "session.token_reused")


async def test_parallel_refreshes_with_one_token_get_the_same_successor(app: AdminTestApp) -> None:
    login = await _owner(app)
    successors = await asyncio.gather(*(_refresh(app, login.refresh_token) for _ in range(8)))
    assert len(set(successors)) == 1
    assert await _access(app, login) == 200
    assert await _refresh(app, successors[0]) != successors[0]


async def test_a_refresh_whose_answer_was_lost_can_be_repeated(isolated_app: AdminTestApp) -> None:
    login = await _owner(isolated_app)
    first = await _refresh(isolated_app, login.refresh_token)
    second = await _refresh(isolated_app, first)
    isolated_app.clock.advance(seconds=25)
    assert await _refresh(isolated_app, login.refresh_token) == second, "two refreshes behind"
    assert await _refresh(isolated_app, first) == second


async def test_a_session_of_an_older_version_can_be_refreshed(isolated_app: AdminTestApp) -> None:
    login = await _owner(isolated_app)
    await isolated_app.mongo["sessions"].update_one(
        {"_id": login.session_id}, {"$unset": {"rotation_key": "", "replaced": ""}}
    )
    successors = await asyncio.gather(*(_refresh(isolated_app, login.refresh_token) for _ in range(2)))
    assert len(set(successors)) == 1


async def test_a_token_that_was_never_current_ends_its_session(app: AdminTestApp) -> None:
    login = await _owner(app)
    forged = f"{login.refresh_token.partition('.')[0]}.guess"
    assert (await app.call_internal("POST", "refresh", {"refresh_token": forged})).status == 401
    assert await _access(app, login) == 404


async def test_a_forged_refresh_token_does_not_end_the_session(app: AdminTestApp) -> None:
    login = await _owner(app)
    forged = await app.call_internal("POST", "refresh", {"refresh_token": f"{login.session_id}.guess"})
    assert forged.status == 401
    assert await _access(app, login) == 200


async def test_logout_ends_a_session_by_id_or_by_refresh_token(app: AdminTestApp) -> None:
    login = await _owner(app)
    other = await app.log_in(login.email)
    (await app.call_internal("POST", "logout", {"session_id": login.session_id})).ok()
    assert await _access(app, login) == 404
    assert await _access(app, other) == 200
    (await app.call_internal("POST", "logout", {"refresh_token": other.refresh_token})).ok()
    assert await _access(app, other) == 404
    await app.wait_for_event("operator.access_changed", session_id=login.session_id)
    (await app.call_internal("POST", "logout", {"session_id": "nothing"})).ok()


async def test_a_session_expires_after_thirty_days_without_a_refresh(isolated_app: AdminTestApp) -> None:
    login = await _owner(isolated_app)
    isolated_app.clock.advance(days=29)
    next_token = (await isolated_app.call_internal("POST", "refresh", {"refresh_token": login.refresh_token})).ok()
    isolated_app.clock.advance(days=29)
    assert await _access(isolated_app, login) == 200
    isolated_app.clock.advance(days=2)
    assert await _access(isolated_app, login) == 404
    response = await isolated_app.call_internal("POST", "refresh", {"refresh_token": next_token["refresh_token"]})
    assert response.status == 401


async def test_one_call_ends_every_session_and_the_keys_on_request(app: AdminTestApp) -> None:
    current = await _owner(app)
    other = await app.log_in(current.email)
    caller = await app.get_caller(current)
    key = (await app.call("POST", "/api/v1/api-keys", caller, {"name": "Export"})).ok(201)["key"]
    path = "/api/v1/auth/logout-all"
    with_key = await app.call("POST", path, replace(caller, login_session_id=None, api_key_id=1), {})
    assert (with_key.status, with_key.body["code"]) == (403, "not_with_api_key")
    assert await _access(app, current) == 200

    (await app.call("POST", path, caller, {})).ok()
    for session in (current, other):
        assert await _access(app, session) == 404
        refused = await app.call_internal("POST", "refresh", {"refresh_token": session.refresh_token})
        assert refused.status == 401
    (await app.call_internal("POST", "access-by-key", {"key": key})).ok()
    event = await app.wait_for_event("operator.access_changed", operator_id=current.operator_id, version=2)
    assert (event.data["sessions_ended"], event.data["kept_session_id"]) == (True, None)

    again = await app.get_caller(await app.log_in(current.email))
    (await app.call("POST", path, again, {"revoke_api_keys": True})).ok()
    assert (await app.call_internal("POST", "access-by-key", {"key": key})).status == 404

    async def is_audited() -> bool:
        entries = (await app.call("GET", "/api/v1/audit", again, action="account.sessions_ended")).ok()["entries"]
        return sorted(entry["details"]["revoked_api_keys"] for entry in entries) == [False, True]

    await wait_until(is_audited, description="both calls are audited")


async def test_a_new_password_ends_all_other_sessions(app: AdminTestApp) -> None:
    current = await _owner(app)
    other = await app.log_in(current.email)
    caller = await app.get_caller(current)
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    (await app.call("POST", "/api/v1/auth/change-password", caller, body)).ok()
    assert await _access(app, current) == 200
    assert await _access(app, other) == 404
    assert (await app.call_internal("POST", "refresh", {"refresh_token": other.refresh_token})).status == 401
    (await app.call_internal("POST", "refresh", {"refresh_token": current.refresh_token})).ok()
    wrong = await app.call_internal("POST", "login", {"email": current.email, "password": PASSWORD})
    assert wrong.status == 401
    await app.log_in(current.email, NEW_PASSWORD)
    event = await app.wait_for_event(
        "operator.access_changed", operator_id=current.operator_id, session_id=None, version=2
    )
    assert (event.data["sessions_ended"], event.data["kept_session_id"]) == (True, current.session_id)
    await app.wait_for_audit_entry(caller, "account.password_changed")


async def test_a_new_password_requires_the_current_one_and_ten_characters(app: AdminTestApp) -> None:
    login = await _owner(app)
    caller = replace(await app.get_caller(login), client_ip="192.0.2.33")
    path = "/api/v1/auth/change-password"
    wrong = await app.call("POST", path, caller, {"current_password": "no", "new_password": NEW_PASSWORD})
    assert (wrong.status, list(wrong.body["errors"])) == (422, ["current_password"])
    short = await app.call("POST", path, caller, {"current_password": PASSWORD, "new_password": "short"})
    assert (short.status, list(short.body["errors"])) == (422, ["new_password"])
    for weak in ("password123", login.email):
        refused = await app.call("POST", path, caller, {"current_password": PASSWORD, "new_password": weak})
        assert (refused.status, list(refused.body["errors"])) == (422, ["new_password"])
    for _ in range(4):
        await app.call("POST", path, caller, {"current_password": "no", "new_password": NEW_PASSWORD})
    slowed = await app.call("POST", path, caller, {"current_password": PASSWORD, "new_password": NEW_PASSWORD})
    assert slowed.status == 429


async def test_operators_can_view_and_change_their_own_account(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    member = await app.create_member(owner, site["id"], can_chat=True)
    response = (await app.call("GET", "/api/v1/auth/me", member)).ok()["user"]
    assert response["id"] == member.operator_id
    assert response["sites"] == {str(site["id"]): ["can_chat"]}
    assert response["tenant"] == {"id": owner.tenant_id, "name": "Tenant"}
    assert "password" not in str(response)
    body = {"name": "Maxine", "language": "fr", "owner": True}
    changed = (await app.call("PUT", "/api/v1/auth/me", member, body)).ok()["user"]
    assert (changed["name"], changed["language"], changed["owner"]) == ("Maxine", "fr", False)
    assert (await app.get_caller(member.operator_id)).name == "Maxine"
    await app.wait_for_event("operator.access_changed", operator_id=member.operator_id, version=2)
    wrong = await app.call("PUT", "/api/v1/auth/me", member, {"name": {"$ne": 1}})
    assert wrong.status == 422


async def test_suspension_is_revealed_only_after_the_correct_password(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    member = await app.create_member(owner, site["id"], can_chat=True)
    email = (await app.call("GET", "/api/v1/auth/me", member)).ok()["user"]["email"]
    login = await app.log_in(email)
    (await app.call("PUT", f"/api/v1/team/{member.operator_id}", owner, {"suspended": True})).ok()
    right = await app.call_internal("POST", "login", {"email": email, "password": PASSWORD}, client_ip="192.0.2.3")
    wrong = await app.call_internal("POST", "login", {"email": email, "password": "no no no"}, client_ip="192.0.2.3")
    assert (right.status, right.body["code"]) == (401, "operator_suspended")
    assert (wrong.status, wrong.body["code"]) == (401, "bad_credentials")
    assert (await app.call_internal("POST", "refresh", {"refresh_token": login.refresh_token})).status == 401
    response = (await app.call_internal("GET", f"access/{member.operator_id}")).ok()
    assert response["suspended"] is True


async def test_the_first_owner_is_created_once_by_concurrent_replicas(start_app: StartApp) -> None:
    email = unique_email("first")
    async with start_app(owner_email=email, owner_password=PASSWORD) as app:
        accounts = app.admin.accounts
        await asyncio.gather(*(accounts.ensure_first_owner("Parley", email, PASSWORD, "first") for _ in range(4)))
        assert await app.mongo["operators"].count_documents({}) == 1
        assert await app.mongo["tenants"].count_documents({}) == 1
        login = await app.log_in(email)
        # After any change of the account, another start must not create a second one.
        await app.mongo["operators"].update_one({"_id": login.operator_id}, {"$set": {"email": unique_email("moved")}})
        await accounts.ensure_first_owner("Parley", email, PASSWORD, "first")
        assert await app.mongo["operators"].count_documents({}) == 1


async def test_only_the_gateway_can_call_the_internal_api(app: AdminTestApp) -> None:
    owner = await app.create_tenant()
    assert (await app.call("GET", f"/internal/access/{owner.operator_id}", owner)).status == 401
    assert (await app.call("GET", f"/internal/access/{owner.operator_id}", None)).status == 401
    assert (await app.call_internal("GET", "access/999999999999")).status == 404


async def test_no_document_contains_a_password_or_a_token(isolated_app: AdminTestApp) -> None:
    login = await _owner(isolated_app)
    next_token = (await isolated_app.call_internal("POST", "refresh", {"refresh_token": login.refresh_token})).ok()[
        "refresh_token"
    ]
    owner = await isolated_app.get_caller(login)
    key = (await isolated_app.call("POST", "/api/v1/api-keys", owner, {"name": "Export"})).ok(201)["key"]
    body = {"email": unique_email("new"), "name": "New", "site_ids": []}
    token = (await isolated_app.call("POST", "/api/v1/team", owner, body)).ok(201)["invitation"]["token"]
    documents = [
        str(row)
        for name in await isolated_app.mongo.database.list_collection_names()
        async for row in isolated_app.mongo[name].find()
    ]
    secrets = [PASSWORD, next_token, login.refresh_token, *next_token.split("."), key, token]
    assert not [secret for secret in secrets if any(secret in document for document in documents)]


async def test_other_services_can_ask_which_logins_are_valid(app: AdminTestApp) -> None:
    """A19: what belongs to a login ends with it, however it ends."""
    owner = await app.create_tenant()
    member = await app.create_member(owner)
    account = (await app.call("GET", "/api/v1/auth/me", member)).ok()["user"]
    first, second, third = [await app.log_in(account["email"]) for _ in range(3)]
    stranger = await app.create_tenant()
    key = (await app.call("POST", "/api/v1/api-keys", member, {"name": "App"})).ok(201)
    names = {first.session_id: "first", second.session_id: "second", third.session_id: "third"}

    async def valid(operator_id: int = member.operator_id) -> set[str]:
        reply = await app.admin.rpc_methods()["valid_logins"](
            {
                "operator_id": operator_id,
                "session_ids": [*names, "unknown"],
                "api_key_hashes": [hash_token(key["key"]), hash_token("unknown")],
            }
        )
        assert reply is not None
        return {names[one] for one in reply["session_ids"]} | {"key" for _ in reply["api_key_hashes"]}

    assert await valid() == {"first", "second", "third", "key"}
    assert await valid(stranger.operator_id) == set()
    (await app.call_internal("POST", "logout", {"session_id": first.session_id})).ok()
    assert await valid() == {"second", "third", "key"}
    caller = await app.get_caller(second)
    body = {"current_password": PASSWORD, "new_password": "another long enough one"}
    (await app.call("POST", "/api/v1/auth/change-password", caller, body)).ok()
    assert await valid() == {"second", "key"}
    (await app.call("DELETE", f"/api/v1/api-keys/{key['api_key']['id']}", caller)).ok()
    assert await valid() == {"second"}
    (await app.call("PUT", f"/api/v1/team/{member.operator_id}", owner, {"suspended": True})).ok()
    assert await valid() == set()
