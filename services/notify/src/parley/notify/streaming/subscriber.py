"""One open stream: its caller, what it may see, and non-blocking writes to its socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.notify.streaming.frames import strip_chunk
from parley.notify.streaming.replay_buffer import VisitorKey


def _discard(_: bytes) -> None:
    """Replaces `send` before the subscriber has a socket and after it has ended."""


def _zero() -> int:
    return 0


class Subscriber:
    """A stream of one operator or visitor. It has no task and no queue: unread bytes are in its transport's buffer."""

    __slots__ = (
        "access_version",
        "buffered_bytes",
        "end_reason",
        "ended",
        "expires_at",
        "identity_secret_id",
        "last_buffered",
        "live",
        "login_session_id",
        "operator_id",
        "send",
        "session_fingerprint",
        "site_ids",
        "slot",
        "tenant_id",
        "transport",
        "visitor",
    )

    def __init__(self, caller: OperatorCaller | VisitorCaller) -> None:
        self.tenant_id = caller.tenant_id
        self.operator_id = 0
        self.visitor: VisitorKey | None = None
        """Set for a visitor's stream; None for an operator's."""
        self.login_session_id: str | None = None
        """The operator's login session."""
        self.identity_secret_id: int | None = None
        """The secret by which an identified visitor was proved."""
        self.session_fingerprint: str | None = None
        """Of a visitor's session id."""
        self.access_version = 0
        self.expires_at = 0
        if isinstance(caller, OperatorCaller):
            self.operator_id = caller.operator_id
            self.login_session_id = caller.login_session_id
            self.access_version = caller.access_version
            self.expires_at = caller.expires_at
            self.site_ids: tuple[int, ...] = tuple(caller.site_ids)
        else:
            self.visitor = (caller.site_id, caller.session)
            self.identity_secret_id = caller.identity_secret_id
            self.session_fingerprint = caller.session_fingerprint or caller.session
            self.expires_at = caller.session_expires_at
            self.site_ids = (caller.site_id,)
        self.transport: asyncio.Transport | None = None
        self.send: Callable[[bytes], object] = _discard
        self.buffered_bytes: Callable[[], int] = _zero
        self.last_buffered = 0
        """`buffered_bytes` at the last maintenance run, to find clients that do not read."""
        self.slot = 0
        self.live = False
        self.end_reason = ""
        """Empty while the stream is open."""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def kind(self) -> str:
        return "visitor" if self.visitor is not None else "operator"

    def attach(self, transport: asyncio.Transport, *, chunked: bool) -> None:
        """Write to this socket from now on."""
        self.transport = transport
        self.buffered_bytes = transport.get_write_buffer_size
        self.send = transport.write if chunked else lambda frame: transport.write(strip_chunk(frame))

    def end(self, reason: str, *, abort: bool) -> None:
        """Stop writing. With `abort`, close the socket and drop its buffer; otherwise the handler ends the response."""
        if self.end_reason:
            return
        self.end_reason = reason
        self.send, self.buffered_bytes = _discard, _zero
        if abort and self.transport is not None:
            self.transport.abort()
        if not self.ended.done():
            self.ended.set_result(None)
