"""Accounts, the team and what belongs to it, and removals."""

from __future__ import annotations

from support.api_tour.client import ApiTour
from support.api_tour.visitors import answer_forms
from support.tenants import PASSWORD


async def accounts(tour: ApiTour) -> None:
    email = f"tourist@{tour.tenant.name}.test"
    body = {"email": email, "name": "Tourist", "site_ids": [tour.tenant.site_id]}
    created = await tour.call(tour.tenant.owner, "POST", "/team", body, 201)
    invited = await tour.call(tour.tenant.owner, "POST", f"/team/{created['member']['id']}/invitation", {}, 201)
    accept = {"token": invited["invitation"]["token"], "password": PASSWORD, "name": "Tourist"}
    await tour.call(None, "POST", "/invitations/accept", accept)
    login = await tour.call(None, "POST", "/auth/login", {"email": email, "password": PASSWORD})
    refreshed = await tour.call(None, "POST", "/auth/refresh", {"refresh_token": login["refresh_token"]})
    tourist = tour.api.operator(refreshed["token"], refreshed["user"]["id"])
    await tour.call(tourist, "GET", "/auth/me")
    await tour.call(tourist, "PUT", "/auth/me", {"name": "Terry", "language": "de"})
    change = {"current_password": PASSWORD, "new_password": f"{PASSWORD}-again"}
    await tour.call(tourist, "POST", "/auth/change-password", change)
    key = await tour.call(tourist, "POST", "/api-keys", {"name": "Export"}, 201)
    assert len((await tour.call(tourist, "GET", "/api-keys"))["api_keys"]) == 1
    await tour.call(tourist, "DELETE", f"/api-keys/{key['api_key']['id']}")
    await tour.call(None, "POST", "/auth/logout", {"refresh_token": refreshed["refresh_token"]})
    again = await tour.call(None, "POST", "/auth/login", {"email": email, "password": f"{PASSWORD}-again"})
    tourist = tour.api.operator(again["token"], again["user"]["id"])
    await tour.call(tourist, "POST", "/auth/logout-all", {})


async def team(tour: ApiTour, site_id: int) -> None:
    owner, sam = tour.tenant.owner, tour.tenant.sam
    await tour.call(owner, "GET", "/team")
    await tour.call(owner, "GET", f"/team/{sam.id}")
    await tour.call(owner, "PUT", f"/team/{sam.id}", {"name": "Samuel"})
    await tour.call(owner, "GET", f"/sites/{site_id}/team")
    await tour.call(owner, "PUT", f"/sites/{site_id}/team/{sam.id}", {"can_chat": True})
    await tour.call(owner, "DELETE", f"/sites/{site_id}/team/{sam.id}")
    team = {"name": "Billing", "site_ids": [tour.tenant.site_id], "operator_ids": [sam.id]}
    billing = (await tour.call(owner, "POST", "/teams", team, 201))["team"]
    await tour.call(owner, "PUT", f"/teams/{billing['id']}", {**team, "name": "Invoices"})
    assert (await tour.call(owner, "GET", "/teams", query={"site_id": tour.tenant.site_id}))["teams"]
    routing = {"routing": "manual", "team_id": billing["id"], "fallbacks": [{"after_seconds": 60}]}
    await tour.call(owner, "PUT", f"/sites/{tour.tenant.site_id}/routing", routing)
    departments = [{"team_id": billing["id"], "label": "Billing"}, {"team_id": None, "label": "Other"}]
    field = {"key": "topic", "type": "select", "label": "Topic", "options": ["Sales", "Support"]}
    forms = {
        "consent": {"text": "I agree"},
        "departments": departments,
        "prechat": {"enabled": True, "fields": [{"key": "name", "type": "name", "required": True}, field]},
        "offline": {"enabled": True, "fields": [field]},
    }
    await tour.call(owner, "PUT", f"/sites/{tour.tenant.site_id}/forms", forms)
    await tour.call(owner, "GET", f"/sites/{tour.tenant.site_id}/forms")
    await answer_forms(tour)
    await tour.call(owner, "PUT", f"/sites/{tour.tenant.site_id}/forms", {})
    await tour.call(owner, "DELETE", f"/teams/{billing['id']}")
    await tour.call(owner, "GET", "/audit", query={"from": "2020-01-01T00:00:00Z", "limit": 2})
    month = {"from": "2026-01-01", "to": "2026-01-31", "timezone": "Asia/Kolkata"}
    assert len((await tour.call(owner, "GET", "/reports", query=month))["rows"]) == 31
    await tour.call(owner, "GET", "/reports/export", query={**month, "format": "json"})


async def removals(tour: ApiTour, site_id: int) -> None:
    owner = tour.tenant.owner
    blocked = await tour.call(owner, "GET", "/operator/blocked", query={"site_id": tour.tenant.site_id})
    subject = {"site_id": tour.tenant.site_id, "session_id": blocked["visitors"][0]["session_id"]}
    assert (await tour.call(owner, "GET", "/operator/visitor/export", query=subject))["export"]["conversations"]
    assert (await tour.call(owner, "POST", "/operator/visitor/erase", subject))["erased"]["conversations"]
    await tour.call(owner, "DELETE", f"/sites/{site_id}")
    gone = await tour.tenant.add_operator("Gone")
    await tour.call(owner, "DELETE", f"/team/{gone.id}")
