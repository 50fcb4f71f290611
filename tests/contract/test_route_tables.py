"""The route tables of the services and the gateway match, and every route is completely declared."""

from __future__ import annotations

from collections import Counter

import pytest
from pydantic import ValidationError

from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route
from parley.gateway.routes import PROXY_ROUTES, Credential, RouteKind
from parley_dev.openapi import build_applications, build_route_tables
from support.routes import PublicEndpoint, proxy_routes, public_endpoints

CREDENTIALS = {CallerType.OPERATOR: Credential.OPERATOR, CallerType.VISITOR: Credential.VISITOR}
KINDS = {
    RouteKind.JSON: {"application/json", "text/csv", "text/plain"},
    RouteKind.EVENT_STREAM: {"text/event-stream"},
    RouteKind.AI_STREAM: {"text/event-stream"},
}

WITHOUT_PERMISSION = {
    "GET /api/v1/auth/me": "the caller's own account",
    "PUT /api/v1/auth/me": "the caller's own account",
    "POST /api/v1/auth/change-password": "the caller's own account",
    "POST /api/v1/auth/logout-all": "the caller's own account",
    "GET /api/v1/api-keys": "the caller's own keys, which have their owner's permissions",
    "POST /api/v1/api-keys": "the caller's own keys, which have their owner's permissions",
    "DELETE /api/v1/api-keys/{id}": "the caller's own keys, which have their owner's permissions",
    "GET /api/v1/canned-replies": "the caller's own and those of their sites and team",
    "POST /api/v1/canned-replies": "the scope decides: the caller's own, a managed site's, an owner's team",
    "PUT /api/v1/canned-replies/{id}": "as for adding, for the scope before and after",
    "DELETE /api/v1/canned-replies/{id}": "as for adding",
    "POST /api/v1/canned-replies/{id}/use": "every operator who may use the reply",
    "GET /api/v1/teams": "the teams of the sites that the caller has access to",
    "GET /api/v1/labels": "those of the caller's sites and team",
    "POST /api/v1/labels": "the scope decides: a managed site's, an owner's team",
    "PUT /api/v1/labels/{id}": "as for adding",
    "DELETE /api/v1/labels/{id}": "as for adding",
    "GET /api/v1/views": "the caller's own and those of their sites and team",
    "POST /api/v1/views": "the scope decides: the caller's own, a managed site's, an owner's team",
    "PUT /api/v1/views/{id}": "as for adding, for the scope before and after",
    "DELETE /api/v1/views/{id}": "as for adding",
    "GET /api/v1/sites": "the sites that the caller has access to",
    "GET /api/v1/sites/{site_id}/my-access": "the caller's own permissions, also when there are none",
    "GET /api/v1/sites/{site_id}/chatbot": "shown to every visitor anyway",
    "GET /api/v1/sites/{site_id}/chatbot/knowledge": "shown to every visitor anyway",
    "GET /api/v1/operator/status": "the caller's own status",
    "GET /api/v1/operator/mentions": "the caller's own mentions, on sites that they have access to",
    "POST /api/v1/operator/fcm-token": "the caller's own devices; pushes are authorized event by event",
    "DELETE /api/v1/operator/fcm-token": "the caller's own devices",
    "POST /api/v1/operator/fcm-token/test": "the caller's own devices",
    "POST /api/v1/operator/push-subscription": "the caller's own devices; pushes are authorized event by event",
    "DELETE /api/v1/operator/push-subscription": "the caller's own devices",
    "GET /api/v1/operator/push-subscription/key": "the installation's public key",
    "GET /api/v1/operator/push-device": "the caller's own devices",
    "DELETE /api/v1/operator/push-device": "the caller's own devices",
    "POST /api/v1/operator/push-device/test": "the caller's own devices",
}
"""Routes that every team member may use, and why they need no permission."""


@pytest.fixture(scope="module")
async def served() -> dict[str, list[Route]]:
    return build_route_tables()


@pytest.fixture(scope="module")
async def public(served: dict[str, list[Route]]) -> list[PublicEndpoint]:
    return public_endpoints()


async def test_the_gateway_and_the_services_have_the_same_routes(served: dict[str, list[Route]]) -> None:
    service_routes = {
        (route.method, route.path): service
        for service, table in served.items()
        for route in table
        if route.caller_type is not CallerType.GATEWAY
    }
    gateway_routes = {
        (forward.method, forward.path): forward.service for forward in proxy_routes(*CREDENTIALS.values())
    }
    assert service_routes == gateway_routes


async def test_every_served_route_is_in_a_table(served: dict[str, list[Route]]) -> None:
    for service, app in build_applications().items():
        registered = {(one.method, one.resource.canonical) for one in app.router.routes() if one.resource is not None}
        tabled = {(route.method, route.path) for route in served[service]}
        tabled |= {(route.method, route.path) for route in proxy_routes(Credential.PUBLIC) if route.service == service}
        # The gateway forwards a HEAD as GET.
        assert {one for one in registered if one[0] != "HEAD"} == {one for one in tabled if one[0] != "HEAD"}, service


async def test_every_route_belongs_to_one_service(served: dict[str, list[Route]]) -> None:
    counted = Counter((route.method, route.path) for route in PROXY_ROUTES)
    assert not [one for one, times in counted.items() if times > 1]


async def test_both_tables_agree_on_credential_rate_limit_and_kind(public: list[PublicEndpoint]) -> None:
    failures: list[str] = []
    for one in public:
        if one.forward.credential is not CREDENTIALS[one.route.caller_type]:
            failures.append(
                f"{one.name}: {one.forward.credential} at the gateway, {one.route.caller_type} at the service"
            )
        if one.forward.rate_limit is not one.route.rate_limit:
            failures.append(
                f"{one.name}: {one.forward.rate_limit} at the gateway, {one.route.rate_limit} at the service"
            )
        if one.forward.kind.is_upload != (one.route.request_media_type == "multipart/form-data"):
            failures.append(f"{one.name}: {one.forward.kind} at the gateway, takes {one.route.request_media_type}")
        if one.forward.kind in KINDS and one.route.response_media_type not in KINDS[one.forward.kind]:
            failures.append(f"{one.name}: {one.forward.kind} at the gateway, answers {one.route.response_media_type}")
    assert not failures, "\n".join(failures)


async def test_every_route_declares_its_response(public: list[PublicEndpoint]) -> None:
    undeclared = [
        one.name
        for one in public
        if one.route.response_model is None and one.route.response_media_type == "application/json"
    ]
    assert not undeclared
    assert all(one.route.summary for one in public)


async def test_every_operator_route_requires_a_permission_or_is_listed(public: list[PublicEndpoint]) -> None:
    """A1: every operator route requires a permission or ownership, except the listed ones."""
    unrestricted = {
        one.name
        for one in public
        if one.route.caller_type is CallerType.OPERATOR
        and one.route.required_permission is None
        and not one.route.owner_only
    }
    assert unrestricted == set(WITHOUT_PERMISSION)


async def test_a_scoped_api_key_changes_of_its_operator_only_what_is_listed(public: list[PublicEndpoint]) -> None:
    """A1: a key made for certain scopes changes what belongs to its operator only where the route names the scope."""
    named = {
        one.name: {str(scope) for scope in one.route.key_scopes}
        for one in public
        if one.route.caller_type is CallerType.OPERATOR
        and one.route.method != "GET"
        and one.route.required_permission is None
        and not one.route.owner_only
    }
    every = {str(permission) for permission in Permission}
    assert named == {
        "PUT /api/v1/auth/me": set(),
        # The service refuses every API key; a key may revoke itself.
        "POST /api/v1/auth/change-password": every,
        "POST /api/v1/auth/logout-all": every,
        "POST /api/v1/api-keys": every,
        "DELETE /api/v1/api-keys/{id}": every,
        "POST /api/v1/canned-replies": {"can_chat", "can_manage"},
        "PUT /api/v1/canned-replies/{id}": {"can_chat", "can_manage"},
        "DELETE /api/v1/canned-replies/{id}": {"can_chat", "can_manage"},
        "POST /api/v1/canned-replies/{id}/use": {"can_chat", "can_manage"},
        "POST /api/v1/labels": {"can_manage"},
        "PUT /api/v1/labels/{id}": {"can_manage"},
        "DELETE /api/v1/labels/{id}": {"can_manage"},
        "POST /api/v1/views": every,
        "PUT /api/v1/views/{id}": every,
        "DELETE /api/v1/views/{id}": every,
        "POST /api/v1/operator/fcm-token": {"can_chat"},
        "DELETE /api/v1/operator/fcm-token": {"can_chat"},
        "POST /api/v1/operator/fcm-token/test": {"can_chat"},
        "POST /api/v1/operator/push-subscription": {"can_chat"},
        "DELETE /api/v1/operator/push-subscription": {"can_chat"},
        "DELETE /api/v1/operator/push-device": {"can_chat"},
        "POST /api/v1/operator/push-device/test": {"can_chat"},
    }


async def test_writes_are_not_rate_limited_as_reads(public: list[PublicEndpoint]) -> None:
    assert not [one.name for one in public if one.route.method != "GET" and one.route.rate_limit is RateLimitClass.READ]
    assert not [
        one.name
        for one in public
        if one.route.method == "GET" and one.route.rate_limit not in (RateLimitClass.READ, RateLimitClass.SEARCH)
    ]


async def test_every_body_has_a_valid_example(public: list[PublicEndpoint]) -> None:
    failures: list[str] = []
    for one in public:
        if one.route.body is None:
            continue
        if not one.route.example:
            failures.append(f"{one.name}: no example")
            continue
        try:
            one.route.body.model_validate(dict(one.route.example))
        except ValidationError as exc:
            failures.append(f"{one.name}: {exc}")
    assert not failures, "\n".join(failures)
