"""One open stream: whose it is, what it may see, and how to write to its socket without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.notify.streaming.frames import unchunked
from parley.notify.streaming.replay_buffer import Session


def _nowhere(_: bytes) -> None:
    """Where a stream writes before it has a socket and after it has ended."""


def _nothing() -> int:
    return 0


class Stream:
    """A subscriber. Without a task and without a queue: what it is owed stands in its transport's buffer."""

    __slots__ = (
        "access_version",
        "backlog",
        "ended",
        "expires_at",
        "live",
        "operator_id",
        "owed",
        "reason",
        "send",
        "session",
        "session_id",
        "sites",
        "slot",
        "transport",
    )

    def __init__(self, caller: OperatorCaller | VisitorCaller) -> None:
        self.operator_id = 0
        self.session: Session | None = None
        self.session_id: str | None = None
        self.access_version = 0
        self.expires_at = 0
        if isinstance(caller, OperatorCaller):
            self.operator_id = caller.operator_id
            self.session_id = caller.session_id
            self.access_version = caller.access_version
            self.expires_at = caller.expires_at
            self.sites: tuple[int, ...] = tuple(caller.site_ids)
        else:
            self.session = (caller.site_id, caller.session)
            self.sites = (caller.site_id,)
        self.transport: asyncio.Transport | None = None
        self.send: Callable[[bytes], object] = _nowhere
        self.backlog: Callable[[], int] = _nothing
        self.owed = 0
        """Its backlog at the last look, in bytes; for finding clients that do not read."""
        self.slot = 0
        self.live = False
        self.reason = ""
        """Why it ended; empty while it has not."""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def kind(self) -> str:
        return "visitor" if self.session is not None else "operator"

    def attach(self, transport: asyncio.Transport, *, chunked: bool) -> None:
        """Write to this socket from now on."""
        self.transport = transport
        self.backlog = transport.get_write_buffer_size
        self.send = transport.write if chunked else lambda frame: transport.write(unchunked(frame))

    def end(self, reason: str, *, cut: bool) -> None:
        """Write no more. `cut`: at once, and what stands in the buffer is lost; else the handler ends it in order."""
        if self.reason:
            return
        self.reason = reason
        self.send, self.backlog = _nowhere, _nothing
        if cut and self.transport is not None:
            self.transport.abort()
        if not self.ended.done():
            self.ended.set_result(None)
