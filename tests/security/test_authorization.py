"""A1: every operator route, attacked by everyone who may not use it. Made from the route tables (support.authorization_matrix)."""

from __future__ import annotations

import secrets
import time
from typing import Any

import jwt
import pytest

from parley.common.auth.identity import Permission
from parley.common.http import CallerType
from parley_dev.stack import Stack
from support.api import ApiClient
from support.authorization_matrix import (
    UNKNOWN_RESOURCES,
    TenantResources,
    build_request,
    comparable_response,
    is_resource_scoped,
    logged_out_token,
    suspended_token,
    token_with_permissions,
    unmapped_names,
)
from support.routes import PublicEndpoint, public_endpoints
from support.tenants import TenantFixture

OWN = {
    "DELETE /api/v1/api-keys/{id}": "keys are a person's own: another's is not there, also for a colleague",
}
"""Routes on which a colleague's thing is not there, and not forbidden."""

NO_ROWS: dict[str, dict[str, Any]] = {
    "GET /api/v1/operator/all-active-chats": {"chats": []},
    "GET /api/v1/operator/all-chat-counts": {"pending": 0, "active": 0, "sites": {}},
    "GET /api/v1/operator/all-online-visitors": {"visitors": []},
    "GET /api/v1/operator/online-visitors": {"visitors": []},
}
"""What is shown of all one's sites, to who has the permission on none of them."""

HARMLESS = {
    "POST /api/v1/operator/stream-ticket": "a ticket is worth what its buyer may see when it is redeemed",
}


@pytest.fixture(scope="module")
async def routes() -> list[PublicEndpoint]:
    return [public for public in public_endpoints() if public.route.caller_type is CallerType.OPERATOR]


@pytest.fixture(scope="module")
async def victim(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    return await TenantFixture.create(api, stack, mongodb_uri)


@pytest.fixture(scope="module")
async def target(victim: TenantFixture) -> TenantResources:
    return await TenantResources.create(victim)


async def _everything(victim: TenantFixture, target: TenantResources) -> dict[str, Any]:
    """All that an attack could have changed."""
    site = f"/sites/{target.site_id}"
    looks = {
        "conversation": f"/operator/conversation/{target.conversation_id}",
        "site": site,
        "chatbot": f"{site}/chatbot",
        "knowledge": f"{site}/chatbot/knowledge",
        "keys": "/api-keys",
        "blocked": f"/operator/blocked?site_id={target.site_id}",
        "me": "/auth/me",
    }
    found = {name: (await victim.owner.get(path)).ok() for name, path in looks.items()}
    team = (await victim.owner.get("/team")).ok()["team"]
    found["team"] = {one["id"]: one for one in team if one["id"] in (victim.owner.id, victim.alex.id, victim.sam.id)}
    return found


async def test_every_name_in_a_route_has_a_way_to_be_attacked(routes: list[PublicEndpoint]) -> None:
    left_out = {public.name: unmapped_names(public) for public in routes if unmapped_names(public)}
    assert not left_out
    known = {public.name for public in routes}
    assert set(OWN) | set(NO_ROWS) | set(HARMLESS) <= known


async def test_without_a_good_token_every_route_is_401(
    stack: Stack, api: ApiClient, victim: TenantFixture, target: TenantResources, routes: list[PublicEndpoint]
) -> None:
    good = jwt.decode(victim.owner.token, options={"verify_signature": False})
    now = int(time.time())

    def signed(**claims: Any) -> str:
        return jwt.encode({**good, **claims}, stack.secrets.jwt, algorithm="HS256")

    tokens = {
        "none": None,
        "garbage": "not.a.token",
        "expired": signed(iat=now - 7200, exp=now - 3600, jti=secrets.token_hex(8)),
        "nobody's": signed(sub=str(2**40), jti=secrets.token_hex(8)),
        "no such API key": secrets.token_hex(32),
        "suspended": await suspended_token(victim),
        "logged out": await logged_out_token(victim),
    }
    assert (await api.request("GET", "/api/v1/auth/me", token=signed(jti="fresh"))).status == 200, "the forger can sign"
    before = await _everything(victim, target)
    wrong: list[str] = []
    for public in routes:
        for kind, token in tokens.items():
            reply = await build_request(public, target).send(api, token)
            if reply.status != 401 or reply.body["success"] is not False:
                wrong.append(f"{public.name} with the token «{kind}»: {reply.status}")
    assert not wrong, "\n".join(wrong)
    assert await _everything(victim, target) == before


async def test_another_tenants_things_are_word_for_word_what_does_not_exist(
    victim: TenantFixture, target: TenantResources, routes: list[PublicEndpoint], tenant: TenantFixture
) -> None:
    before = await _everything(victim, target)
    wrong: list[str] = []
    for public in routes:
        if not is_resource_scoped(public):
            continue
        foreign = comparable_response(await build_request(public, target).send(tenant.api, tenant.owner.token))
        nothing = comparable_response(
            await build_request(public, UNKNOWN_RESOURCES).send(tenant.api, tenant.owner.token)
        )
        if foreign[0] != 404 or foreign != nothing:
            wrong.append(f"{public.name}: {foreign} for a foreign one, {nothing} for none")
    assert not wrong, "\n".join(wrong)
    assert await _everything(victim, target) == before


async def test_who_is_not_on_the_site_is_forbidden(
    victim: TenantFixture, target: TenantResources, routes: list[PublicEndpoint]
) -> None:
    elsewhere = (await victim.add_site())["id"]
    everything: dict[str, bool] = {permission.value: True for permission in Permission}
    outsider = await victim.add_operator("Outsider", elsewhere, **everything)
    before = await _everything(victim, target)
    wrong: list[str] = []
    for public in routes:
        if is_resource_scoped(public):
            reply = await build_request(public, target).send(victim.api, outsider.token)
            if reply.status != (404 if public.name in OWN else 403):
                wrong.append(f"{public.name}: {reply.status} {reply.raw[:200]!r}")
    assert not wrong, "\n".join(wrong)
    assert await _everything(victim, target) == before


async def test_who_lacks_the_permission_is_forbidden(
    victim: TenantFixture, target: TenantResources, routes: list[PublicEndpoint]
) -> None:
    lacking = {
        lacked: await token_with_permissions(
            victim, f"Not{lacked.value[4:8]}", **{p.value: True for p in Permission if p is not lacked}
        )
        for lacked in Permission
    }
    manager = await token_with_permissions(victim, "Manager", **{permission.value: True for permission in Permission})
    before = await _everything(victim, target)
    wrong: list[str] = []
    for public in routes:
        needs = public.route.required_permission
        if not (public.route.owner_only or (needs is not None and is_resource_scoped(public))):
            continue
        token = manager if public.route.owner_only or needs is None else lacking[needs]
        reply = await build_request(public, target).send(victim.api, token)
        if reply.status != 403:
            wrong.append(f"{public.name} without {needs or 'being an owner'}: {reply.status} {reply.raw[:200]!r}")
    assert not wrong, "\n".join(wrong)
    assert await _everything(victim, target) == before


async def test_without_the_permission_anywhere_unscoped_routes_give_nothing(
    victim: TenantFixture, target: TenantResources, routes: list[PublicEndpoint]
) -> None:
    nobody = await token_with_permissions(victim, "Nobody")
    wrong: list[str] = []
    for public in routes:
        if public.route.required_permission is None or (is_resource_scoped(public) and public.name not in NO_ROWS):
            continue
        request = build_request(public, target)
        if public.name in NO_ROWS:
            reply = await victim.api.request(request.method, request.path, token=nobody)
            expected = NO_ROWS[public.name]
            good = reply.status == 403 or {name: reply.body.get(name) for name in expected} == expected
        else:
            reply = await request.send(victim.api, nobody)
            good = reply.status == 403 or (public.name in HARMLESS and reply.status == 200)
        if not good:
            wrong.append(f"{public.name}: {reply.status} {reply.raw[:200]!r}")
    assert not wrong, "\n".join(wrong)
