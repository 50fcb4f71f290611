"""Routes of forms: of a site's settings, for its managers, and those that visitors answer."""

from __future__ import annotations

from parley.chat.forms import schemas, visitor_schemas
from parley.chat.forms.handlers import FormHandlers, FormSettingsHandlers
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_FORMS = "/api/v1/sites/{site_id}/forms"
_VISITOR_EXAMPLE = {
    "site_key": "pk_0123456789abcdef01234567",
    "session_id": "0123456789abcdef0123456789abcdef",
    "answers": {"name": "Jane", "email": "jane@example.com", "order_number": "4711"},
    "consent": {"given": True, "version": 1},
    "lang": "en",
}


def settings_routes(handlers: FormSettingsHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _FORMS,
            handlers.show,
            CallerType.OPERATOR,
            schemas.FormsResponse,
            "Get a site's forms",
            required_permission=Permission.MANAGE,
        ),
        Route(
            "PUT",
            _FORMS,
            handlers.replace,
            CallerType.OPERATOR,
            schemas.FormsResponse,
            "Replace a site's forms: before the chat, and while nobody is there",
            body=schemas.FormsBody,
            example={
                "consent": {"text": "I agree to the [privacy policy](https://example.com/privacy).", "required": True},
                "prechat": {
                    "enabled": True,
                    "title": "Before we begin",
                    "fields": [
                        {"key": "email", "type": "email", "required": True},
                        {"key": "order_number", "type": "text", "label": "Order number", "max_length": 20},
                    ],
                },
            },
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
    ]


def visitor_routes(handlers: FormHandlers) -> list[Route]:
    return [
        Route(
            "POST",
            "/api/v1/chat/form",
            handlers.answer_prechat,
            CallerType.VISITOR,
            OkResponse,
            "Answer the form before the chat",
            body=visitor_schemas.FormAnswersBody,
            example=_VISITOR_EXAMPLE,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "POST",
            "/api/v1/chat/offline-form",
            handlers.leave_offline_message,
            CallerType.VISITOR,
            visitor_schemas.OfflineMessageResponse,
            "Leave a message while nobody is there",
            body=visitor_schemas.OfflineMessageBody,
            example={**_VISITOR_EXAMPLE, "message": "When does my order arrive?"},
            rate_limit=RateLimitClass.WRITE,
        ),
    ]
