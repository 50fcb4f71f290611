"""Routes of sites and of the settings of their assistant."""

from __future__ import annotations

from parley.chat.paging.schemas import PageQuery
from parley.chat.schemas import OkResponse
from parley.chat.sites.chatbot_handlers import ChatbotHandlers
from parley.chat.sites.chatbot_schemas import ChatbotBody, ChatbotResponse
from parley.chat.sites.handlers import SiteHandlers
from parley.chat.sites.schemas import (
    CreateSiteBody,
    MyAccessResponse,
    SiteListResponse,
    SiteResponse,
    UpdateSiteBody,
    WidgetCodeResponse,
)
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_SITES = "/api/v1/sites"
_SITE = f"{_SITES}/{{site_id}}"
_SITE_EXAMPLE = {"name": "Corner shop", "domains": ["shop.example.com"]}


def routes(handlers: SiteHandlers, chatbot: ChatbotHandlers) -> list[Route]:
    return [*_site_routes(handlers), *_chatbot_routes(chatbot)]


def _site_routes(handlers: SiteHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _SITES,
            handlers.list_page,
            CallerType.OPERATOR,
            SiteListResponse,
            "List your sites",
            query=PageQuery,
        ),
        Route(
            "POST",
            _SITES,
            handlers.create,
            CallerType.OPERATOR,
            SiteResponse,
            "Create a site",
            body=CreateSiteBody,
            status=201,
            example=_SITE_EXAMPLE,
            owner_only=True,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "GET",
            _SITE,
            handlers.show,
            CallerType.OPERATOR,
            SiteResponse,
            "Get a site",
            required_permission=Permission.MANAGE,
        ),
        Route(
            "PUT",
            _SITE,
            handlers.update,
            CallerType.OPERATOR,
            SiteResponse,
            "Change a site",
            body=UpdateSiteBody,
            example=_SITE_EXAMPLE,
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "DELETE",
            _SITE,
            handlers.delete,
            CallerType.OPERATOR,
            OkResponse,
            "Delete a site",
            owner_only=True,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "POST",
            f"{_SITE}/rotate-key",
            handlers.rotate_key,
            CallerType.OPERATOR,
            SiteResponse,
            "Replace a site's public key; widgets with the old key stop working",
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "GET",
            f"{_SITE}/widget-code",
            handlers.widget_code,
            CallerType.OPERATOR,
            WidgetCodeResponse,
            "Get the HTML that embeds the widget",
            required_permission=Permission.MANAGE,
        ),
        Route(
            "GET",
            f"{_SITE}/my-access",
            handlers.my_access,
            CallerType.OPERATOR,
            MyAccessResponse,
            "Get your permissions on a site",
        ),
    ]


def _chatbot_routes(handlers: ChatbotHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            f"{_SITE}/chatbot",
            handlers.show,
            CallerType.OPERATOR,
            ChatbotResponse,
            "Get the settings of a site's assistant",
        ),
        Route(
            "PUT",
            f"{_SITE}/chatbot",
            handlers.update,
            CallerType.OPERATOR,
            ChatbotResponse,
            "Change the settings of a site's assistant",
            body=ChatbotBody,
            example={
                "name": "Robin",
                "welcome": "Hello! What are you looking for?",
                "operator_timeout": 300,
                "hours": {
                    "time_zone": "Europe/Berlin",
                    "weekly": [{"day": "monday", "from": "09:00", "to": "18:00"}],
                    "closed": ["2026-12-25"],
                },
                "translation": {"glossary": ["Corner Shop"]},
            },
            required_permission=Permission.MANAGE,
            rate_limit=RateLimitClass.WRITE,
        ),
    ]
