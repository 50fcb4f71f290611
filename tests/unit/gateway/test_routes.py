"""The public route table is complete and consistent."""

from __future__ import annotations

import re

from parley.common.http import RateLimitClass
from parley.gateway.routes import (
    PATH_PARAMETER_PATTERNS,
    PROXY_ROUTES,
    SERVICES,
    Credential,
    RouteKind,
    router_path,
)


def test_every_route_is_unique_and_has_a_service_and_a_rate_limit_class() -> None:
    keys = [(route.method, route.path) for route in PROXY_ROUTES]
    assert len(keys) == len(set(keys))
    assert {route.service for route in PROXY_ROUTES} == set(SERVICES)
    assert all(isinstance(route.rate_limit, RateLimitClass) for route in PROXY_ROUTES)


def test_credential_follows_from_the_path_prefix() -> None:
    for route in PROXY_ROUTES:
        assert (route.credential is Credential.VISITOR) == route.path.startswith("/api/v1/chat/")
        assert (route.credential is Credential.PUBLIC) == route.path.startswith(("/uploads/", "/files/"))


def test_uploads_have_their_own_class_and_event_streams_are_reads() -> None:
    for route in PROXY_ROUTES:
        is_image, is_file = (route.path.endswith(f"/upload-{name}") for name in ("image", "file"))
        assert route.kind.is_upload == (route.rate_limit is RateLimitClass.UPLOAD) == (is_image or is_file)
        assert (route.kind is RouteKind.FILE_UPLOAD) == is_file
        if route.kind is RouteKind.EVENT_STREAM:
            assert route.method == "GET"


def test_every_path_parameter_has_a_pattern() -> None:
    for route in PROXY_ROUTES:
        names = re.findall(r"{(\w+)}", route.path)
        assert set(names) <= set(PATH_PARAMETER_PATTERNS)
        assert len(re.findall(r"{\w+:", router_path(route.path))) == len(names)


def test_all_operator_endpoints_of_the_contract_exist() -> None:
    paths = {route.path.removeprefix("/api/v1/operator/") for route in PROXY_ROUTES}
    contract = """message accept/{id} close/{id} transfer/{id} typing note proactive-message upload-image upload-file
        stream
        heartbeat status set-status fcm-token active-chats all-active-chats all-chat-counts online-visitors
        all-online-visitors
        operators blocked conversation/{id} conversation/{id}/visitor conversation/{id}/block translation/toggle
        translation/set-lang"""
    assert set(contract.split()) <= paths
