"""Where a forwarded request belongs: by what its path, its body and its caller name."""

from __future__ import annotations

import pytest

from parley.common.conversation_partitions import partitioned_id, visitor_partition
from parley.gateway.proxy.placement import Placements
from parley.gateway.routes import PROXY_ROUTES, ProxyRoute
from parley.gateway.upstream.replica_selection import ANYWHERE, Placement

SESSION = "sess_" + "0123456789abcdef" * 2
CONVERSATION = partitioned_id(1000, SESSION)
HOME = Placement(visitor_partition(SESSION))
PLACEMENTS = Placements(log_partitions=16)


def get_route(path: str) -> ProxyRoute:
    return next(route for route in PROXY_ROUTES if route.path == f"/api/v1{path}")


@pytest.mark.parametrize(
    ("path", "parameters", "body"),
    [
        ("/operator/accept/{id}", {"id": str(CONVERSATION)}, b""),
        ("/operator/conversation/{id}/read", {"id": str(CONVERSATION)}, b'{"seq": 5, "conversation_id": 1}'),
        ("/conversations/{id}/messages", {"id": str(CONVERSATION)}, None),
        ("/operator/message", {}, b'{"content": "Hi", "conversation_id" : %d}' % CONVERSATION),
        ("/operator/message", {}, b'{"content": "\\"conversation_id\\": 1", "conversation_id":%d}' % CONVERSATION),
        ("/operator/proactive-message", {}, b'{"site_id": 1, "session_id": "%s"}' % SESSION.encode()),
    ],
)
def test_operators_requests_have_the_partition_of_the_visitor(
    path: str, parameters: dict[str, str], body: bytes | None
) -> None:
    assert PLACEMENTS.for_operator(get_route(path), parameters, body, 7) == HOME


@pytest.mark.parametrize(
    ("path", "parameters", "body"),
    [
        ("/operator/active-chats", {}, None),
        ("/team/{id}", {"id": "5"}, None),
        ("/operator/message", {}, b'{"conversation_id": "none"}'),
        ("/operator/message", {}, b"\xff not JSON"),
    ],
)
def test_other_requests_go_anywhere(path: str, parameters: dict[str, str], body: bytes | None) -> None:
    assert PLACEMENTS.for_operator(get_route(path), parameters, body, 7) == ANYWHERE


def test_visitors_requests_have_their_partition() -> None:
    assert PLACEMENTS.for_visitor(get_route("/chat/stream"), SESSION, 7) == HOME


def test_streams_go_with_those_of_their_tenants_partition_of_the_log() -> None:
    operators, visitors = get_route("/operator/stream"), get_route("/chat/events")
    placed = PLACEMENTS.for_operator(operators, {}, None, 7)
    assert placed.stream_key
    assert PLACEMENTS.for_visitor(visitors, SESSION, 7) == placed
    assert PLACEMENTS.for_operator(operators, {}, None, 7 + 16) == placed
    assert PLACEMENTS.for_operator(operators, {}, None, 8) != placed
