"""The public route table: the service that owns a path, the credential it takes, and its rate limit class.

The schemas of a route and the permission that it requires are declared in the table of its service. A contract test
compares both tables. A path that is not listed here cannot be reached from outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from parley.common.http import RateLimitClass

CHAT, PRESENCE, NOTIFY, TRANSLATE = SERVICES = ("chat", "presence", "notify", "translate")

READ, WRITE, LOGIN, UPLOAD, HEARTBEAT, SEARCH, MAIL = (
    RateLimitClass.READ,
    RateLimitClass.WRITE,
    RateLimitClass.LOGIN,
    RateLimitClass.UPLOAD,
    RateLimitClass.HEARTBEAT,
    RateLimitClass.SEARCH,
    RateLimitClass.MAIL,
)


IDENTIFY_PATH = "/api/v1/chat/identify"
"""Also for a session whose visitor was identified: the page may not have received the answer."""
_CONVERSATION_PREFIXES = ("/api/v1/operator/", "/api/v1/conversations/")


class Credential(Enum):
    """The kind of credential that a route takes."""

    OPERATOR = "operator"
    VISITOR = "visitor"
    PUBLIC = "public"
    """None at all."""


class RouteKind(Enum):
    """How the bodies of request and response are transferred."""

    JSON = "json"
    """A JSON body or none, a complete response within 15 s."""
    EVENT_STREAM = "event_stream"
    """Server-sent events until one of both sides closes the stream."""
    AI_STREAM = "ai_stream"
    """A JSON body, and a streamed response that ends by itself (an AI reply)."""
    AI_JSON = "ai_json"
    """A JSON body or none, a complete response for which an AI may take up to 50 s."""
    UPLOAD = "upload"
    """An image as `multipart/form-data`, streamed to the service."""
    FILE_UPLOAD = "file_upload"
    """The same with a file of any accepted type, whose maximum size is a setting."""

    @property
    def is_upload(self) -> bool:
        return self in (RouteKind.UPLOAD, RouteKind.FILE_UPLOAD)


@dataclass(frozen=True, slots=True)
class ProxyRoute:
    """A public endpoint that is forwarded to a service."""

    method: str
    path: str
    service: str
    credential: Credential
    rate_limit: RateLimitClass
    kind: RouteKind = RouteKind.JSON

    @property
    def names_conversation(self) -> bool:
        """Whether `{id}` in the path is a conversation's."""
        return "{id}" in self.path and self.path.startswith(_CONVERSATION_PREFIXES)


def _operator(
    service: str, method: str, path: str, rate_limit: RateLimitClass | None = None, kind: RouteKind = RouteKind.JSON
) -> ProxyRoute:
    return ProxyRoute(
        method, f"/api/v1{path}", service, Credential.OPERATOR, rate_limit or _default_rate_limit(method), kind
    )


def _visitor(
    service: str, method: str, path: str, rate_limit: RateLimitClass | None = None, kind: RouteKind = RouteKind.JSON
) -> ProxyRoute:
    return ProxyRoute(
        method, f"/api/v1/chat/{path}", service, Credential.VISITOR, rate_limit or _default_rate_limit(method), kind
    )


def _default_rate_limit(method: str) -> RateLimitClass:
    return READ if method == "GET" else WRITE


OPERATOR_ROUTES = (
    _operator(CHAT, "POST", "/operator/message"),
    _operator(CHAT, "POST", "/operator/accept/{id}"),
    _operator(CHAT, "POST", "/operator/close/{id}"),
    _operator(CHAT, "POST", "/operator/conversation/{id}/reopen"),
    _operator(CHAT, "POST", "/operator/transfer/{id}"),
    _operator(CHAT, "POST", "/operator/release/{id}"),
    _operator(CHAT, "POST", "/operator/typing", HEARTBEAT),
    _operator(CHAT, "POST", "/operator/note"),
    _operator(CHAT, "POST", "/operator/proactive-message"),
    _operator(CHAT, "POST", "/operator/upload-image", UPLOAD, RouteKind.UPLOAD),
    _operator(CHAT, "POST", "/operator/upload-file", UPLOAD, RouteKind.FILE_UPLOAD),
    _operator(NOTIFY, "GET", "/operator/stream", READ, RouteKind.EVENT_STREAM),
    _operator(NOTIFY, "POST", "/operator/stream-ticket"),
    _operator(NOTIFY, "POST", "/operator/fcm-token"),
    _operator(NOTIFY, "DELETE", "/operator/fcm-token"),
    _operator(NOTIFY, "POST", "/operator/fcm-token/test"),
    _operator(NOTIFY, "POST", "/operator/push-subscription"),
    _operator(NOTIFY, "DELETE", "/operator/push-subscription"),
    _operator(NOTIFY, "GET", "/operator/push-subscription/key"),
    _operator(NOTIFY, "GET", "/operator/push-device"),
    _operator(NOTIFY, "DELETE", "/operator/push-device"),
    _operator(NOTIFY, "POST", "/operator/push-device/test"),
    _operator(PRESENCE, "POST", "/operator/heartbeat", HEARTBEAT),
    _operator(PRESENCE, "GET", "/operator/status"),
    _operator(PRESENCE, "POST", "/operator/set-status"),
    _operator(PRESENCE, "GET", "/operator/online-visitors"),
    _operator(PRESENCE, "GET", "/operator/all-online-visitors"),
    _operator(CHAT, "GET", "/operator/active-chats"),
    _operator(CHAT, "GET", "/operator/all-active-chats"),
    _operator(CHAT, "GET", "/operator/all-chat-counts"),
    _operator(CHAT, "GET", "/operator/operators"),
    _operator(CHAT, "GET", "/operator/search", SEARCH),
    _operator(CHAT, "GET", "/operator/blocked"),
    _operator(CHAT, "GET", "/operator/conversation/{id}"),
    _operator(CHAT, "PUT", "/operator/conversation/{id}/visitor"),
    _operator(CHAT, "PATCH", "/operator/conversation/{id}/visitor"),
    _operator(CHAT, "POST", "/operator/conversation/{id}/visitor"),
    _operator(CHAT, "POST", "/operator/conversation/{id}/block"),
    _operator(CHAT, "GET", "/operator/visitor/export"),
    _operator(CHAT, "POST", "/operator/visitor/erase"),
    _operator(CHAT, "POST", "/operator/conversation/{id}/read"),
    _operator(CHAT, "POST", "/operator/conversation/{id}/viewing", HEARTBEAT),
    _operator(CHAT, "POST", "/operator/conversation/{id}/transcript/email", MAIL),
    _operator(CHAT, "GET", "/operator/mentions"),
    _operator(CHAT, "POST", "/operator/conversation/{id}/mentions/read"),
    _operator(CHAT, "POST", "/operator/conversation/{id}/copilot/suggestion", kind=RouteKind.AI_JSON),
    _operator(CHAT, "POST", "/operator/conversation/{id}/copilot/rewrite", kind=RouteKind.AI_JSON),
    _operator(CHAT, "POST", "/operator/conversation/{id}/copilot/summary", kind=RouteKind.AI_JSON),
    _operator(CHAT, "PUT", "/operator/conversation/{id}/labels"),
    _operator(CHAT, "PUT", "/operator/conversation/{id}/snooze"),
    _operator(CHAT, "DELETE", "/operator/conversation/{id}/snooze"),
    _operator(TRANSLATE, "POST", "/operator/translation/toggle"),
    _operator(TRANSLATE, "POST", "/operator/translation/set-lang"),
    _operator(TRANSLATE, "POST", "/operator/translation/preview"),
)

VISITOR_ROUTES = (
    _visitor(CHAT, "POST", "stream", kind=RouteKind.AI_STREAM),
    _visitor(CHAT, "GET", "history"),
    _visitor(CHAT, "GET", "transcript"),
    _visitor(CHAT, "POST", "transcript/email", MAIL),
    _visitor(CHAT, "POST", "email"),
    _visitor(CHAT, "POST", "contact"),
    _visitor(CHAT, "POST", "identify"),
    _visitor(CHAT, "POST", "form"),
    _visitor(CHAT, "POST", "offline-form"),
    _visitor(CHAT, "GET", "operator-messages"),
    _visitor(CHAT, "GET", "block-status"),
    _visitor(CHAT, "GET", "pending-proactive"),
    _visitor(CHAT, "POST", "upload-image", UPLOAD, RouteKind.UPLOAD),
    _visitor(CHAT, "POST", "upload-file", UPLOAD, RouteKind.FILE_UPLOAD),
    _visitor(CHAT, "POST", "rate"),
    _visitor(CHAT, "GET", "config"),
    _visitor(CHAT, "GET", "triggers"),
    _visitor(CHAT, "POST", "triggers/show"),
    _visitor(CHAT, "POST", "triggers/opened"),
    _visitor(PRESENCE, "POST", "heartbeat", HEARTBEAT),
    _visitor(CHAT, "POST", "typing", HEARTBEAT),
    _visitor(CHAT, "POST", "handoff"),
    _visitor(CHAT, "POST", "read"),
    _visitor(NOTIFY, "GET", "events", READ, RouteKind.EVENT_STREAM),
    _visitor(CHAT, "POST", "end-session"),
)

ADMIN_ROUTES = (
    _operator(CHAT, "GET", "/auth/me"),
    _operator(CHAT, "PUT", "/auth/me"),
    _operator(CHAT, "POST", "/auth/change-password", LOGIN),
    _operator(CHAT, "POST", "/auth/logout-all"),
    _operator(CHAT, "GET", "/sites"),
    _operator(CHAT, "POST", "/sites"),
    _operator(CHAT, "GET", "/sites/{site_id}"),
    _operator(CHAT, "PUT", "/sites/{site_id}"),
    _operator(CHAT, "DELETE", "/sites/{site_id}"),
    _operator(CHAT, "GET", "/sites/{site_id}/widget-code"),
    _operator(CHAT, "POST", "/sites/{site_id}/rotate-key"),
    _operator(CHAT, "GET", "/sites/{site_id}/identity-secrets"),
    _operator(CHAT, "POST", "/sites/{site_id}/identity-secrets"),
    _operator(CHAT, "DELETE", "/sites/{site_id}/identity-secrets/{secret_id}"),
    _operator(CHAT, "GET", "/sites/{site_id}/triggers"),
    _operator(CHAT, "POST", "/sites/{site_id}/triggers"),
    _operator(CHAT, "PUT", "/sites/{site_id}/triggers/{trigger_id}"),
    _operator(CHAT, "DELETE", "/sites/{site_id}/triggers/{trigger_id}"),
    _operator(CHAT, "POST", "/sites/{site_id}/triggers/{trigger_id}/preview"),
    _operator(CHAT, "PUT", "/sites/{site_id}/trigger-order"),
    _operator(CHAT, "GET", "/sites/{site_id}/trigger-counts"),
    _operator(CHAT, "GET", "/sites/{site_id}/texts"),
    _operator(CHAT, "PUT", "/sites/{site_id}/texts"),
    _operator(CHAT, "POST", "/sites/{site_id}/texts/translate", kind=RouteKind.AI_JSON),
    _operator(CHAT, "PUT", "/sites/{site_id}/routing"),
    _operator(CHAT, "GET", "/sites/{site_id}/forms"),
    _operator(CHAT, "PUT", "/sites/{site_id}/forms"),
    _operator(CHAT, "GET", "/sites/{site_id}/team"),
    _operator(CHAT, "PUT", "/sites/{site_id}/team/{operator_id}"),
    _operator(CHAT, "DELETE", "/sites/{site_id}/team/{operator_id}"),
    _operator(CHAT, "GET", "/sites/{site_id}/my-access"),
    _operator(CHAT, "GET", "/sites/{site_id}/conversations"),
    _operator(CHAT, "GET", "/sites/{site_id}/leads"),
    _operator(CHAT, "GET", "/sites/{site_id}/ratings"),
    _operator(CHAT, "GET", "/sites/{site_id}/ratings/stats"),
    _operator(CHAT, "GET", "/sites/{site_id}/copilot"),
    _operator(CHAT, "GET", "/sites/{site_id}/chatbot"),
    _operator(CHAT, "PUT", "/sites/{site_id}/chatbot"),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/check", kind=RouteKind.AI_JSON),
    _operator(CHAT, "GET", "/sites/{site_id}/chatbot/usage"),
    _operator(CHAT, "GET", "/sites/{site_id}/chatbot/knowledge"),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/knowledge"),
    _operator(CHAT, "PUT", "/sites/{site_id}/chatbot/knowledge/{entry_id}"),
    _operator(CHAT, "DELETE", "/sites/{site_id}/chatbot/knowledge/{entry_id}"),
    _operator(CHAT, "GET", "/sites/{site_id}/chatbot/tools"),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/tools"),
    _operator(CHAT, "PUT", "/sites/{site_id}/chatbot/tools/{tool_id}"),
    _operator(CHAT, "DELETE", "/sites/{site_id}/chatbot/tools/{tool_id}"),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/tools/{tool_id}/secret"),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/tools/{tool_id}/try", kind=RouteKind.AI_JSON),
    _operator(CHAT, "GET", "/sites/{site_id}/chatbot/mcp-servers"),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/mcp-servers"),
    _operator(CHAT, "PUT", "/sites/{site_id}/chatbot/mcp-servers/{server_id}"),
    _operator(CHAT, "DELETE", "/sites/{site_id}/chatbot/mcp-servers/{server_id}"),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/mcp-servers/{server_id}/secret"),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/mcp-servers/{server_id}/check", kind=RouteKind.AI_JSON),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/mcp-servers/{server_id}/try", kind=RouteKind.AI_JSON),
    _operator(CHAT, "PUT", "/sites/{site_id}/chatbot/mcp-servers/{server_id}/tools"),
    _operator(CHAT, "GET", "/sites/{site_id}/chatbot/tests"),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/tests"),
    _operator(CHAT, "PUT", "/sites/{site_id}/chatbot/tests/{test_id}"),
    _operator(CHAT, "DELETE", "/sites/{site_id}/chatbot/tests/{test_id}"),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/tests/generate"),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/tests/import"),
    _operator(CHAT, "GET", "/sites/{site_id}/chatbot/tests/export"),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/tests/run"),
    _operator(CHAT, "GET", "/sites/{site_id}/chatbot/tests/runs"),
    _operator(CHAT, "GET", "/sites/{site_id}/chatbot/tests/runs/{run_id}"),
    _operator(CHAT, "POST", "/sites/{site_id}/chatbot/tests/runs/{run_id}/cancel"),
    _operator(CHAT, "GET", "/sites/{site_id}/chatbot/tests/runs/{run_id}/results"),
    _operator(CHAT, "GET", "/sites/{site_id}/chatbot/tests/runs/{run_id}/replays"),
    _operator(CHAT, "GET", "/sites/{site_id}/knowledge-gaps"),
    _operator(CHAT, "GET", "/sites/{site_id}/knowledge-gaps/{gap_id}"),
    _operator(CHAT, "PUT", "/sites/{site_id}/knowledge-gaps/{gap_id}"),
    _operator(CHAT, "POST", "/sites/{site_id}/knowledge-gaps/{gap_id}/entry"),
    _operator(CHAT, "GET", "/sites/{site_id}/cited-passages"),
    _operator(CHAT, "GET", "/sites/{site_id}/corrections"),
    _operator(CHAT, "POST", "/sites/{site_id}/corrections"),
    _operator(CHAT, "POST", "/sites/{site_id}/corrections/{correction_id}/apply"),
    _operator(CHAT, "GET", "/sites/{site_id}/corrections/{correction_id}/conversations"),
    _operator(CHAT, "GET", "/sites/{site_id}/knowledge/sources"),
    _operator(CHAT, "POST", "/sites/{site_id}/knowledge/sources"),
    _operator(CHAT, "GET", "/sites/{site_id}/knowledge/sources/{source_id}"),
    _operator(CHAT, "PUT", "/sites/{site_id}/knowledge/sources/{source_id}"),
    _operator(CHAT, "DELETE", "/sites/{site_id}/knowledge/sources/{source_id}"),
    _operator(CHAT, "POST", "/sites/{site_id}/knowledge/sources/{source_id}/sync"),
    _operator(CHAT, "POST", "/sites/{site_id}/knowledge/sources/{source_id}/approve"),
    _operator(
        CHAT, "POST", "/sites/{site_id}/knowledge/sources/{source_id}/upload-file", UPLOAD, RouteKind.FILE_UPLOAD
    ),
    _operator(CHAT, "GET", "/sites/{site_id}/knowledge/sources/{source_id}/documents"),
    _operator(CHAT, "PUT", "/sites/{site_id}/knowledge/sources/{source_id}/documents/{document_id}"),
    _operator(CHAT, "DELETE", "/sites/{site_id}/knowledge/sources/{source_id}/documents/{document_id}"),
    _operator(CHAT, "GET", "/sites/{site_id}/knowledge/sources/{source_id}/documents/{document_id}/changes"),
    _operator(CHAT, "POST", "/sites/{site_id}/knowledge/sources/{source_id}/documents/{document_id}/approve"),
    _operator(CHAT, "POST", "/sites/{site_id}/knowledge/sources/{source_id}/documents/{document_id}/reject"),
    _operator(CHAT, "GET", "/conversations/{id}/messages"),
    _operator(CHAT, "GET", "/team"),
    _operator(CHAT, "POST", "/team"),
    _operator(CHAT, "GET", "/team/{id}"),
    _operator(CHAT, "PUT", "/team/{id}"),
    _operator(CHAT, "DELETE", "/team/{id}"),
    _operator(CHAT, "POST", "/team/{id}/invitation"),
    _operator(CHAT, "GET", "/teams"),
    _operator(CHAT, "POST", "/teams"),
    _operator(CHAT, "PUT", "/teams/{id}"),
    _operator(CHAT, "DELETE", "/teams/{id}"),
    _operator(CHAT, "GET", "/api-keys"),
    _operator(CHAT, "POST", "/api-keys"),
    _operator(CHAT, "DELETE", "/api-keys/{id}"),
    _operator(CHAT, "GET", "/canned-replies"),
    _operator(CHAT, "POST", "/canned-replies"),
    _operator(CHAT, "PUT", "/canned-replies/{id}"),
    _operator(CHAT, "DELETE", "/canned-replies/{id}"),
    _operator(CHAT, "POST", "/canned-replies/{id}/use"),
    _operator(CHAT, "POST", "/operator/conversations/bulk"),
    _operator(CHAT, "POST", "/operator/conversations/bulk/{action_id}/undo"),
    _operator(CHAT, "GET", "/labels"),
    _operator(CHAT, "POST", "/labels"),
    _operator(CHAT, "PUT", "/labels/{id}"),
    _operator(CHAT, "DELETE", "/labels/{id}"),
    _operator(CHAT, "GET", "/views"),
    _operator(CHAT, "GET", "/views/counts"),
    _operator(CHAT, "POST", "/views"),
    _operator(CHAT, "PUT", "/views/{id}"),
    _operator(CHAT, "DELETE", "/views/{id}"),
    _operator(CHAT, "GET", "/audit"),
    _operator(CHAT, "GET", "/reports"),
    _operator(CHAT, "GET", "/reports/export"),
)

PUBLIC_ROUTES = (
    ProxyRoute("GET", "/uploads/{name}", CHAT, Credential.PUBLIC, READ),
    ProxyRoute("GET", "/files/{file_id}/{filename}", CHAT, Credential.PUBLIC, READ),
    ProxyRoute("HEAD", "/files/{file_id}/{filename}", CHAT, Credential.PUBLIC, READ),
)

PROXY_ROUTES: tuple[ProxyRoute, ...] = (*OPERATOR_ROUTES, *VISITOR_ROUTES, *ADMIN_ROUTES, *PUBLIC_ROUTES)

_ID_PATTERN = "[0-9]{1,16}"
PATH_PARAMETER_PATTERNS = {
    "id": _ID_PATTERN,
    "site_id": _ID_PATTERN,
    "operator_id": _ID_PATTERN,
    "entry_id": _ID_PATTERN,
    "source_id": _ID_PATTERN,
    "document_id": _ID_PATTERN,
    "action_id": _ID_PATTERN,
    "secret_id": _ID_PATTERN,
    "tool_id": _ID_PATTERN,
    "server_id": _ID_PATTERN,
    "test_id": _ID_PATTERN,
    "run_id": _ID_PATTERN,
    "gap_id": _ID_PATTERN,
    "correction_id": _ID_PATTERN,
    "trigger_id": _ID_PATTERN,
    "name": r"[0-9a-f]{32,64}\.[a-z0-9]{2,5}",
    "file_id": "[0-9a-f]{32}",
    "filename": "[^/]{1,800}",
}
"""The pattern of each path parameter. A service never receives a path segment that does not match."""


def router_path(path: str) -> str:
    """Return `path` in the router's syntax, with the pattern of each parameter."""
    for name, pattern in PATH_PARAMETER_PATTERNS.items():
        path = path.replace(f"{{{name}}}", f"{{{name}:{pattern}}}")
    return path
