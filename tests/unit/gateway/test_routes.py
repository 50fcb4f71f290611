"""The public table says what the contract says, once."""

from __future__ import annotations

import re

from parley.common.http import Rate
from parley.gateway.routes import FORWARDS, PATTERNS, SERVICES, Credential, Kind, pattern


def test_every_route_stands_once_and_has_an_owner_and_a_rate_class() -> None:
    keys = [(route.method, route.path) for route in FORWARDS]
    assert len(keys) == len(set(keys))
    assert {route.service for route in FORWARDS} == set(SERVICES)
    assert all(isinstance(route.rate, Rate) for route in FORWARDS)


def test_visitors_paths_are_visitors_and_no_others() -> None:
    for route in FORWARDS:
        assert (route.credential is Credential.VISITOR) == route.path.startswith("/api/v1/chat/")
        assert (route.credential is Credential.PUBLIC) == route.path.startswith("/uploads/")


def test_uploads_are_counted_as_uploads_and_streams_are_read() -> None:
    for route in FORWARDS:
        assert (route.kind is Kind.UPLOAD) == (route.rate is Rate.UPLOAD) == route.path.endswith("/upload-image")
        if route.kind is Kind.STREAM:
            assert route.method == "GET"


def test_every_part_of_a_path_that_clients_fill_in_has_a_shape() -> None:
    for route in FORWARDS:
        names = re.findall(r"{(\w+)}", route.path)
        assert set(names) <= set(PATTERNS)
        assert len(re.findall(r"{\w+:", pattern(route.path))) == len(names)


def test_all_operator_endpoints_of_the_reference_are_there() -> None:
    paths = {route.path.removeprefix("/api/v1/operator/") for route in FORWARDS}
    reference = """message accept/{id} close/{id} transfer/{id} typing note proactive-message upload-image stream
        heartbeat status set-status fcm-token active-chats all-active-chats all-chat-counts online-visitors
        all-online-visitors
        operators blocked conversation/{id} conversation/{id}/visitor conversation/{id}/block translation/toggle
        translation/set-lang"""
    assert set(reference.split()) <= paths
