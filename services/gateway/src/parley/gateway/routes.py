"""The public table: which service owns a path, which credential it takes, and its rate class.

What a route takes and gives, and the permission it needs, stand in its service's own table; a contract test holds the
two against each other. What is not here does not exist outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from parley.common.http import Rate

CHAT, PRESENCE, NOTIFY, TRANSLATE = SERVICES = ("chat", "presence", "notify", "translate")

READ, WRITE, LOGIN, UPLOAD, BEAT = Rate.READ, Rate.WRITE, Rate.LOGIN, Rate.UPLOAD, Rate.BEAT


class Credential(Enum):
    """What a caller has to show."""

    OPERATOR = "operator"
    VISITOR = "visitor"
    PUBLIC = "public"


class Kind(Enum):
    """How a request and its answer travel."""

    PLAIN = "plain"
    """JSON or nothing in, an answer within 15 s."""
    STREAM = "stream"
    """Events out, for as long as both sides want."""
    ANSWER = "answer"
    """JSON in, an answer that streams for a while (an AI's) and ends by itself."""
    UPLOAD = "upload"
    """An image in, as multipart."""


@dataclass(frozen=True, slots=True)
class Forward:
    """One public endpoint."""

    method: str
    path: str
    service: str
    credential: Credential
    rate: Rate
    kind: Kind = Kind.PLAIN


def _operator(
    service: str, method: str, path: str, rate: Rate | None = None, kind: Kind = Kind.PLAIN, base: str = "/api/v1"
) -> Forward:
    rate = rate or (READ if method == "GET" else WRITE)
    return Forward(method, f"{base}{path}", service, Credential.OPERATOR, rate, kind)


def _visitor(service: str, method: str, path: str, rate: Rate | None = None, kind: Kind = Kind.PLAIN) -> Forward:
    rate = rate or (READ if method == "GET" else WRITE)
    return Forward(method, f"/api/v1/chat/{path}", service, Credential.VISITOR, rate, kind)


OPERATORS = (
    _operator(CHAT, "POST", "/operator/message"),
    _operator(CHAT, "POST", "/operator/accept/{id}"),
    _operator(CHAT, "POST", "/operator/close/{id}"),
    _operator(CHAT, "POST", "/operator/transfer/{id}"),
    _operator(CHAT, "POST", "/operator/release/{id}"),
    _operator(CHAT, "POST", "/operator/typing", BEAT),
    _operator(CHAT, "POST", "/operator/note"),
    _operator(CHAT, "POST", "/operator/proactive-message"),
    _operator(CHAT, "POST", "/operator/upload-image", UPLOAD, Kind.UPLOAD),
    _operator(NOTIFY, "GET", "/operator/stream", READ, Kind.STREAM),
    _operator(NOTIFY, "POST", "/operator/stream-ticket"),
    _operator(NOTIFY, "POST", "/operator/fcm-token"),
    _operator(NOTIFY, "DELETE", "/operator/fcm-token"),
    _operator(NOTIFY, "POST", "/operator/fcm-token/test"),
    _operator(PRESENCE, "POST", "/operator/heartbeat", BEAT),
    _operator(PRESENCE, "GET", "/operator/status"),
    _operator(PRESENCE, "POST", "/operator/set-status"),
    _operator(PRESENCE, "GET", "/operator/online-visitors"),
    _operator(PRESENCE, "GET", "/operator/all-online-visitors"),
    _operator(CHAT, "GET", "/operator/active-chats"),
    _operator(CHAT, "GET", "/operator/all-active-chats"),
    _operator(CHAT, "GET", "/operator/all-chat-counts"),
    _operator(CHAT, "GET", "/operator/operators"),
    _operator(CHAT, "GET", "/operator/blocked"),
    _operator(CHAT, "GET", "/operator/conversation/{id}"),
    _operator(CHAT, "PUT", "/operator/conversation/{id}/visitor"),
    _operator(CHAT, "PATCH", "/operator/conversation/{id}/visitor"),
    _operator(CHAT, "POST", "/operator/conversation/{id}/visitor"),
    _operator(CHAT, "POST", "/operator/conversation/{id}/block"),
    _operator(CHAT, "GET", "/operator/visitor/export"),
    _operator(CHAT, "POST", "/operator/visitor/erase"),
    _operator(CHAT, "POST", "/operator/conversation/{id}/read"),
    _operator(TRANSLATE, "POST", "/operator/translation/toggle"),
    _operator(TRANSLATE, "POST", "/operator/translation/set-lang"),
)

VISITORS = (
    _visitor(CHAT, "POST", "stream", kind=Kind.ANSWER),
    _visitor(CHAT, "GET", "history"),
    _visitor(CHAT, "POST", "email"),
    _visitor(CHAT, "POST", "contact"),
    _visitor(CHAT, "GET", "operator-messages"),
    _visitor(CHAT, "GET", "block-status"),
    _visitor(CHAT, "GET", "pending-proactive"),
    _visitor(CHAT, "POST", "upload-image", UPLOAD, Kind.UPLOAD),
    _visitor(CHAT, "POST", "rate"),
    _visitor(CHAT, "GET", "config"),
    _visitor(PRESENCE, "POST", "heartbeat", BEAT),
    _visitor(CHAT, "POST", "typing", BEAT),
    _visitor(CHAT, "POST", "handoff"),
    _visitor(CHAT, "POST", "read"),
    _visitor(NOTIFY, "GET", "events", READ, Kind.STREAM),
)

ADMINISTRATION = (
    _operator(CHAT, "GET", "/auth/me"),
    _operator(CHAT, "PUT", "/auth/me"),
    _operator(CHAT, "POST", "/auth/change-password", LOGIN),
    _operator(CHAT, "GET", "/sites"),
    _operator(CHAT, "POST", "/sites"),
    _operator(CHAT, "GET", "/sites/{site_id}"),
    _operator(CHAT, "PUT", "/sites/{site_id}"),
    _operator(CHAT, "DELETE", "/sites/{site_id}"),
    _operator(CHAT, "GET", "/sites/{site_id}/widget-code"),
    _operator(CHAT, "POST", "/sites/{site_id}/rotate-key"),
    _operator(CHAT, "GET", "/sites/{site_id}/team"),
    _operator(CHAT, "PUT", "/sites/{site_id}/team/{operator_id}"),
    _operator(CHAT, "DELETE", "/sites/{site_id}/team/{operator_id}"),
    _operator(CHAT, "GET", "/sites/{site_id}/my-access"),
    _operator(CHAT, "GET", "/sites/{site_id}/conversations"),
    _operator(CHAT, "GET", "/sites/{site_id}/leads"),
    _operator(CHAT, "GET", "/sites/{site_id}/ratings"),
    _operator(CHAT, "GET", "/sites/{site_id}/ratings/stats"),
    _operator(CHAT, "GET", "/sites/{site_id}/chatbot"),
    _operator(CHAT, "PUT", "/sites/{site_id}/chatbot"),
    _operator(CHAT, "GET", "/sites/{site_id}/chatbot/knowledge"),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/knowledge"),
    _operator(CHAT, "PUT", "/sites/{site_id}/chatbot/knowledge/{entry_id}"),
    _operator(CHAT, "DELETE", "/sites/{site_id}/chatbot/knowledge/{entry_id}"),
    _operator(CHAT, "GET", "/conversations/{id}/messages"),
    _operator(CHAT, "GET", "/team"),
    _operator(CHAT, "POST", "/team"),
    _operator(CHAT, "GET", "/team/{id}"),
    _operator(CHAT, "PUT", "/team/{id}"),
    _operator(CHAT, "DELETE", "/team/{id}"),
    _operator(CHAT, "POST", "/team/{id}/invitation"),
    _operator(CHAT, "GET", "/api-keys"),
    _operator(CHAT, "POST", "/api-keys"),
    _operator(CHAT, "DELETE", "/api-keys/{id}"),
    _operator(CHAT, "GET", "/audit"),
)

PUBLIC = (Forward("GET", "/uploads/{name}", CHAT, Credential.PUBLIC, READ),)

FORWARDS: tuple[Forward, ...] = (*OPERATORS, *VISITORS, *ADMINISTRATION, *PUBLIC)

_NUMBER = "[0-9]{1,16}"
PATTERNS = {
    "id": _NUMBER,
    "site_id": _NUMBER,
    "operator_id": _NUMBER,
    "entry_id": _NUMBER,
    "name": r"[0-9a-f]{32,64}\.[a-z0-9]{2,5}",
}
"""What may stand in a path, so that a service is never sent a path that the client made up."""


def pattern(path: str) -> str:
    """The path as the router takes it."""
    for name, shape in PATTERNS.items():
        path = path.replace(f"{{{name}}}", f"{{{name}:{shape}}}")
    return path
