"""The services' route tables and the gateway's say the same, and every route says all that a route has to say."""

from __future__ import annotations

from collections import Counter

import pytest
from pydantic import ValidationError

from parley.common.http import CallerType, RateLimitClass, Route
from parley.gateway.routes import PROXY_ROUTES, Credential, RouteKind
from support.routes import PublicEndpoint, applications, proxy_routes, public_endpoints, route_tables

CREDENTIALS = {CallerType.OPERATOR: Credential.OPERATOR, CallerType.VISITOR: Credential.VISITOR}
KINDS = {
    RouteKind.JSON: "application/json",
    RouteKind.EVENT_STREAM: "text/event-stream",
    RouteKind.AI_STREAM: "text/event-stream",
}

MEMBER_LEVEL = {
    "GET /api/v1/auth/me": "one's own account",
    "PUT /api/v1/auth/me": "one's own account",
    "POST /api/v1/auth/change-password": "one's own account",
    "GET /api/v1/api-keys": "one's own keys, which may do what their owner may",
    "POST /api/v1/api-keys": "one's own keys, which may do what their owner may",
    "DELETE /api/v1/api-keys/{id}": "one's own keys, which may do what their owner may",
    "GET /api/v1/sites": "the list of the sites one is on",
    "GET /api/v1/sites/{site_id}/my-access": "tells what one may do, which may be nothing",
    "GET /api/v1/sites/{site_id}/chatbot": "what the assistant says is shown to every visitor anyway",
    "GET /api/v1/sites/{site_id}/chatbot/knowledge": "what the assistant says is shown to every visitor anyway",
    "GET /api/v1/operator/status": "one's own status",
    "POST /api/v1/operator/fcm-token": "one's own devices; what is pushed to them is authorized event by event",
    "DELETE /api/v1/operator/fcm-token": "one's own devices",
    "POST /api/v1/operator/fcm-token/test": "one's own devices",
}
"""Routes that every member of a team may use, and why they need no permission."""


@pytest.fixture(scope="module")
async def served() -> dict[str, list[Route]]:
    return route_tables()


@pytest.fixture(scope="module")
async def public(served: dict[str, list[Route]]) -> list[PublicEndpoint]:
    return public_endpoints()


async def test_the_gateway_and_the_services_know_the_same_routes(served: dict[str, list[Route]]) -> None:
    behind = {
        (route.method, route.path): service
        for service, table in served.items()
        for route in table
        if route.caller_type is not CallerType.GATEWAY
    }
    before = {(forward.method, forward.path): forward.service for forward in proxy_routes(*CREDENTIALS.values())}
    assert behind == before


async def test_no_route_is_served_that_is_in_no_table(served: dict[str, list[Route]]) -> None:
    for service, app in applications().items():
        real = {(one.method, one.resource.canonical) for one in app.router.routes() if one.resource is not None}
        tabled = {(route.method, route.path) for route in served[service]}
        tabled |= {(route.method, route.path) for route in proxy_routes(Credential.PUBLIC) if route.service == service}
        assert {one for one in real if one[0] != "HEAD"} == tabled, service


async def test_a_path_has_one_owner(served: dict[str, list[Route]]) -> None:
    counted = Counter((route.method, route.path) for route in PROXY_ROUTES)
    assert not [one for one, times in counted.items() if times > 1]


async def test_both_tables_agree_on_credential_rate_and_kind(public: list[PublicEndpoint]) -> None:
    wrong: list[str] = []
    for one in public:
        if one.forward.credential is not CREDENTIALS[one.route.caller_type]:
            wrong.append(f"{one.name}: {one.forward.credential} at the gateway, {one.route.caller_type} behind it")
        if one.forward.rate_limit is not one.route.rate_limit:
            wrong.append(f"{one.name}: {one.forward.rate_limit} at the gateway, {one.route.rate_limit} behind it")
        if (one.forward.kind is RouteKind.UPLOAD) != (one.route.request_media_type == "multipart/form-data"):
            wrong.append(f"{one.name}: {one.forward.kind} at the gateway, takes {one.route.request_media_type}")
        if one.forward.kind in KINDS and KINDS[one.forward.kind] != one.route.response_media_type:
            wrong.append(f"{one.name}: {one.forward.kind} at the gateway, answers {one.route.response_media_type}")
    assert not wrong, "\n".join(wrong)


async def test_every_route_says_what_it_answers(public: list[PublicEndpoint]) -> None:
    mute = [
        one.name
        for one in public
        if one.route.response_model is None and one.route.response_media_type == "application/json"
    ]
    assert not mute
    assert all(one.route.summary for one in public)


async def test_every_operator_route_needs_a_permission_or_says_why_not(public: list[PublicEndpoint]) -> None:
    free = {
        one.name
        for one in public
        if one.route.caller_type is CallerType.OPERATOR
        and one.route.required_permission is None
        and not one.route.owner_only
    }
    assert free == set(MEMBER_LEVEL)


async def test_changes_do_not_pass_as_reads(public: list[PublicEndpoint]) -> None:
    assert not [one.name for one in public if one.route.method != "GET" and one.route.rate_limit is RateLimitClass.READ]
    assert not [
        one.name for one in public if one.route.method == "GET" and one.route.rate_limit is not RateLimitClass.READ
    ]


async def test_every_body_has_an_example_that_is_one(public: list[PublicEndpoint]) -> None:
    wrong: list[str] = []
    for one in public:
        if one.route.body is None:
            continue
        if not one.route.example:
            wrong.append(f"{one.name}: no example")
            continue
        try:
            one.route.body.model_validate(dict(one.route.example))
        except ValidationError as exc:
            wrong.append(f"{one.name}: {exc}")
    assert not wrong, "\n".join(wrong)
