"""What chat knows that push notifications depend on, asked over RPC: of sites, cached; of logins, exact."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from parley.common.auth.identity import Permission
from parley.common.caching import InvalidatingCache
from parley.common.events import Event
from parley.common.messaging import BroadcastSubscriber, RpcClient
from parley.common.messaging.topology import EVENTS_EXCHANGE
from parley.notify.push.model import ChatOperator, SitePushOptions
from parley.notify.timeouts import CHAT_CACHE_TTL_SECONDS

_INVALIDATING_EVENTS = ("operator.access_changed", "site.changed", "team.changed")


class CachedChatSites:
    """A site's push options and chat operators. Both caches raise Unavailable if chat does not answer.

    The caches follow the event log, so an event that comes after a change is handled with the changed values.
    `subscriber` receives the changes of sites in partitions that this replica does not follow.
    """

    name = "chat-sites"

    def __init__(self, rpc: RpcClient, *, is_connected: Callable[[], bool]) -> None:
        self._rpc = rpc
        self.options: InvalidatingCache[int, SitePushOptions] = InvalidatingCache(
            self._load_options, is_connected=is_connected, ttl_seconds=CHAT_CACHE_TTL_SECONDS
        )
        self.operators: InvalidatingCache[int, Mapping[int, ChatOperator]] = InvalidatingCache(
            self._load_operators, is_connected=is_connected, ttl_seconds=CHAT_CACHE_TTL_SECONDS
        )

    def subscriber(self) -> BroadcastSubscriber:
        """Return the session that receives all changes."""

        async def on_event(event: Event) -> None:
            self._clear()

        routing_keys = [f"*.*.{event_type}" for event_type in _INVALIDATING_EVENTS]
        return BroadcastSubscriber(self.name, EVENTS_EXCHANGE, routing_keys, on_event, self._clear)

    def on_event(self, event: Event, _position: int) -> None:
        """Discard everything when an operator's access or a site changes: it is rare, and access names no sites."""
        if event.type in _INVALIDATING_EVENTS:
            self._clear()

    async def on_log_replaced(self) -> None:
        self._clear()

    async def resume_point(self) -> None:
        """Return nothing: values that were not loaded cannot be outdated."""

    async def start(self) -> None:
        """Do nothing: values are loaded when they are asked for."""

    async def stop(self) -> None:
        await self.options.stop()
        await self.operators.stop()

    def unready_reason(self) -> str | None:
        return None

    def _clear(self) -> None:
        self.options.clear()
        self.operators.clear()

    async def _load_options(self, site_id: int) -> SitePushOptions:
        site = await self._rpc("site", site_id=site_id) or {}
        return SitePushOptions(
            hides_content=bool(site.get("private_push")), notifies_when_pending=site.get("routing") != "manual"
        )

    async def _load_operators(self, site_id: int) -> Mapping[int, ChatOperator]:
        reply = await self._rpc("site_operators", site_id=site_id) or {}
        return {
            row["operator_id"]: ChatOperator(
                row["operator_id"],
                row["language"],
                # The version of chat before has no teams.
                frozenset(row.get("team_ids", ())),
                Permission.MANAGE in row["permissions"],
            )
            for row in reply.get("operators", [])
            if Permission.CHAT in row["permissions"]
        }


_SESSION, _KEY = "session:", "key:"
"""The two kinds of `OperatorCaller.login`."""


class ChatLogins:
    """A LoginReader. Not cached: a login that ended must not cause one more push."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    async def filter_valid(self, operator_id: int, logins: Collection[str]) -> frozenset[str]:
        reply = await self._rpc(
            "valid_logins",
            operator_id=operator_id,
            session_ids=[login.removeprefix(_SESSION) for login in logins if login.startswith(_SESSION)],
            api_key_hashes=[login.removeprefix(_KEY) for login in logins if login.startswith(_KEY)],
        )
        valid = reply or {"session_ids": [], "api_key_hashes": []}
        return frozenset(
            [f"{_SESSION}{session_id}" for session_id in valid["session_ids"]]
            + [f"{_KEY}{key_hash}" for key_hash in valid["api_key_hashes"]]
        )
