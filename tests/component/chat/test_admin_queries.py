"""Every query of accounts and administration is answered from an index: the database itself is asked."""

from __future__ import annotations

from typing import Any

from aiohttp.test_utils import make_mocked_request

from parley.chat.accounts import login_throttling_repository
from parley.chat.accounts import repository as accounts
from parley.chat.api_keys import repository as api_keys
from parley.chat.audit import repository as audit
from parley.chat.invitations import repository as invitations
from parley.chat.knowledge import repository as knowledge
from parley.chat.sessions import repository as sessions
from parley.chat.sites import repository as sites
from parley.chat.team import repository as team
from parley.common.runtime.clock import rfc3339
from support.office import PASSWORD, Office, new_email

STORES = (accounts, api_keys, audit, login_throttling_repository, invitations, knowledge, sessions, sites, team)


async def _call_every_route(office: Office) -> None:
    """One call of each route at least, and of each way of filtering."""
    owner = await office.new_tenant()
    site = await office.new_site(owner, domains=["shop.example.com"])
    member = await office.new_member(owner, site["id"], can_manage=True, can_chat=True)
    at = f"/api/v1/sites/{site['id']}"
    me = await office.caller(await _login(office, owner))

    async def call(method: str, path: str, body: Any = None, caller: Any = owner, **query: Any) -> dict[str, Any]:
        reply = await office.call(method, path, caller, body, **query)
        assert reply.status in (200, 201), reply.raw
        return reply.body

    for who in (owner, member):
        for path in ("/api/v1/sites", "/api/v1/team", f"{at}/team", "/api/v1/api-keys"):
            await call("GET", path, caller=who, limit=1)
        for path in (at, f"{at}/my-access", f"{at}/widget-code", f"{at}/chatbot", "/api/v1/auth/me"):
            await call("GET", path, caller=who)
    first = (await call("GET", "/api/v1/team", limit=1))["next_cursor"]
    await call("GET", "/api/v1/team", cursor=first)
    await call("PUT", at, {"name": "Store"})
    await call("PUT", f"{at}/chatbot", {"name": "Robin"})
    entry = (await call("POST", f"{at}/chatbot/knowledge", {"question": "Open?", "answer": "Yes."}))["entry"]
    await call("GET", f"{at}/chatbot/knowledge")
    await call("PUT", f"{at}/chatbot/knowledge/{entry['id']}", {"question": "Open?", "answer": "Yes, always."})
    assert await office.administration.knowledge.search(site["id"], "open", 3)
    await call("DELETE", f"{at}/chatbot/knowledge/{entry['id']}")
    key = await call("POST", "/api/v1/api-keys", {"name": "Export"})
    await office.errand("POST", "access-by-key", {"key": key["key"]})
    await call("DELETE", f"/api/v1/api-keys/{key['api_key']['id']}")
    await call("PUT", "/api/v1/auth/me", {"language": "fr"})
    await call(
        "POST", "/api/v1/auth/change-password", {"current_password": PASSWORD, "new_password": PASSWORD + "!"}, me
    )
    invited = (await call("POST", "/api/v1/team", {"email": new_email("x"), "name": "X"}))["member"]["id"]
    token = (await call("POST", f"/api/v1/team/{invited}/invitation"))["invitation"]["token"]
    await office.errand("POST", "accept-invitation", {"token": token, "password": PASSWORD})
    await call("GET", f"/api/v1/team/{invited}")
    await call("PUT", f"{at}/team/{invited}", {"can_chat": True})
    await call("DELETE", f"{at}/team/{invited}")
    await call("PUT", f"/api/v1/team/{invited}", {"suspended": True})
    await call("DELETE", f"/api/v1/team/{invited}")
    for query in ({}, {"site_id": site["id"]}, {"operator_id": owner.operator_id, "action": "site.updated"}):
        page = await call("GET", "/api/v1/audit", limit=1, from_=rfc3339(office.clock().replace(year=2020)), **query)
        if page["next_cursor"]:
            await call("GET", "/api/v1/audit", limit=1, cursor=page["next_cursor"], **query)
    await call("POST", f"{at}/rotate-key")
    await office.errand("GET", "site", site_key=site["site_key"])
    await office.errand("GET", "origin", origin="https://shop.example.com")
    await office.administration.questions()["site_operators"]({"site_id": site["id"]})
    await office.administration.team.member(owner.tenant_id, owner.operator_id)
    await call("DELETE", at)


async def _login(office: Office, owner: Any) -> Any:
    email = (await office.call("GET", "/api/v1/auth/me", owner)).ok()["user"]["email"]
    await office.errand("POST", "login", {"email": email, "password": "wrong"})
    first = await office.log_in(email)
    refreshed = (await office.errand("POST", "refresh", {"refresh_token": first.refresh_token})).ok()
    await office.errand("POST", "logout", {"refresh_token": refreshed["refresh_token"]})
    return await office.log_in(email)


async def test_no_query_of_any_route_scans_a_collection_or_sorts_by_itself(servers: tuple[str, str]) -> None:
    office = await Office.open(*servers, owner_email=new_email("first"), owner_password=PASSWORD)
    try:
        await office.mongo.database.create_collection("system.profile", capped=True, size=64 * 2**20)
        await office.mongo.database.command("profile", 2)
        await _call_every_route(office)
        await office.administration._accounts.ensure_first_owner("Parley", new_email("x"), PASSWORD, "first")
        await office.outbox.sweep(office.clock())
        await office.mongo.database.command("profile", 0)
        watched = [row async for row in office.mongo["system.profile"].find()]
        routes = {(route.method, route.path) for route in office.administration.routes()}
        assert {await _route_of(office, *one) for one in office.called} == routes, "the scenario leaves a route out"
        collections = {index.collection for store in STORES for index in store.INDEXES}
        assert collections <= {row["ns"].split(".", 1)[1] for row in watched}
        faults = [
            (row["ns"], row["planSummary"], row["command"])
            for row in watched
            if "COLLSCAN" in row.get("planSummary", "")
            or (row.get("hasSortStage") and "_fts" not in row["planSummary"])
        ]
        assert not faults
    finally:
        await office.close()


async def _route_of(office: Office, method: str, path: str) -> tuple[str, str]:
    info = await office.server.app.router.resolve(make_mocked_request(method, path))
    assert info.route.resource is not None
    return method, info.route.resource.canonical
