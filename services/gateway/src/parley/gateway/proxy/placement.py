"""Where a forwarded request belongs: the partition of its conversation or visitor, or the key of its stream."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from parley.common.conversation_partitions import conversation_partition, visitor_partition
from parley.common.log_partitions import get_partition
from parley.gateway.routes import ProxyRoute, RouteKind
from parley.gateway.upstream.replica_selection import ANYWHERE, Placement

# The body is not parsed: what these find elsewhere in it costs an affinity and nothing else. Within a text the first
# quotation mark would have a backslash before it, and the second one too.
_CONVERSATION = re.compile(rb'"conversation_id"\s*:\s*([0-9]{1,16})')
_VISITOR = re.compile(rb'"session_id"\s*:\s*"(sess_[0-9a-f]{32})"')


@dataclass(frozen=True, slots=True)
class Placements:
    """Places requests. A tenant's streams go together with those of its partition of the event log.

    A replica of notify follows the partitions of the streams that it has.
    """

    log_partitions: int

    def for_operator(
        self, route: ProxyRoute, path_parameters: Mapping[str, str], body: bytes | None, tenant_id: int
    ) -> Placement:
        """Return the placement of an operator's request: by the conversation or visitor that path or body name."""
        if route.kind is RouteKind.EVENT_STREAM:
            return self._for_stream(tenant_id)
        if route.names_conversation:
            return Placement(conversation_partition(int(path_parameters["id"])))
        if body:
            if conversation := _CONVERSATION.search(body):
                return Placement(conversation_partition(int(conversation[1])))
            if visitor := _VISITOR.search(body):
                return Placement(visitor_partition(visitor[1].decode()))
        return ANYWHERE

    def for_visitor(self, route: ProxyRoute, session_handle: str, tenant_id: int) -> Placement:
        """Return the placement of a visitor's request."""
        if route.kind is RouteKind.EVENT_STREAM:
            return self._for_stream(tenant_id)
        return Placement(visitor_partition(session_handle))

    def _for_stream(self, tenant_id: int) -> Placement:
        return Placement(stream_key=f"log-{get_partition(tenant_id, self.log_partitions)}")
