"""The routes of conversations, for operators."""

from __future__ import annotations

from typing import Any

from parley.chat.conversations import schemas
from parley.chat.conversations.handlers import ConversationHandlers
from parley.chat.conversations.query_handlers import ConversationQueryHandlers
from parley.chat.paging.schemas import PageQuery
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_OPERATOR = "/api/v1/operator"
_SITE = "/api/v1/sites/{site_id}"
_WRITE: Any = {"required_permission": Permission.CHAT, "rate_limit": RateLimitClass.WRITE}


def routes(handlers: ConversationHandlers, queries: ConversationQueryHandlers) -> list[Route]:
    return [*_change_routes(handlers), *_query_routes(queries)]


def _change_routes(handlers: ConversationHandlers) -> list[Route]:
    return [
        Route(
            "POST",
            f"{_OPERATOR}/accept/{{id}}",
            handlers.accept,
            CallerType.OPERATOR,
            schemas.ConversationResponse,
            "Accept a conversation",
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_OPERATOR}/close/{{id}}",
            handlers.close,
            CallerType.OPERATOR,
            schemas.ConversationResponse,
            "Close a conversation",
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_OPERATOR}/conversation/{{id}}/reopen",
            handlers.reopen,
            CallerType.OPERATOR,
            schemas.ConversationResponse,
            "Reopen a closed conversation; it is then assigned to you",
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_OPERATOR}/transfer/{{id}}",
            handlers.transfer,
            CallerType.OPERATOR,
            schemas.ConversationResponse,
            "Transfer a conversation to another operator, or to a team",
            body=schemas.TransferBody,
            example={"operator_id": 7},
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_OPERATOR}/release/{{id}}",
            handlers.release,
            CallerType.OPERATOR,
            schemas.ConversationResponse,
            "Release a conversation to the AI",
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_OPERATOR}/typing",
            handlers.show_typing,
            CallerType.OPERATOR,
            OkResponse,
            "Show the visitor that you are typing",
            body=schemas.ConversationRef,
            example={"conversation_id": 50},
            required_permission=Permission.CHAT,
            rate_limit=RateLimitClass.HEARTBEAT,
        ),
        Route(
            "POST",
            f"{_OPERATOR}/conversation/{{id}}/viewing",
            handlers.show_viewing,
            CallerType.OPERATOR,
            OkResponse,
            "Show the other operators that you look at a conversation, write in it or have left it",
            body=schemas.ViewingBody,
            example={"state": "viewing"},
            required_permission=Permission.VIEW,
            rate_limit=RateLimitClass.HEARTBEAT,
        ),
        Route(
            "POST",
            f"{_OPERATOR}/note",
            handlers.add_note,
            CallerType.OPERATOR,
            schemas.NoteResponse,
            "Add a private note",
            body=schemas.NoteBody,
            example={"conversation_id": 50, "content": "VIP customer"},
            **_WRITE,
        ),
        Route(
            "PUT",
            f"{_OPERATOR}/conversation/{{id}}/labels",
            handlers.set_labels,
            CallerType.OPERATOR,
            schemas.ConversationResponse,
            "Replace the labels of a conversation",
            body=schemas.LabelsBody,
            example={"labels": [3, 5]},
            **_WRITE,
        ),
        Route(
            "PUT",
            f"{_OPERATOR}/conversation/{{id}}/snooze",
            handlers.snooze,
            CallerType.OPERATOR,
            schemas.ConversationResponse,
            "Leave a conversation out of the open lists until a time or the visitor's next message",
            body=schemas.SnoozeBody,
            example={"until": "2027-01-04T08:00:00Z"},
            **_WRITE,
        ),
        Route(
            "DELETE",
            f"{_OPERATOR}/conversation/{{id}}/snooze",
            handlers.unsnooze,
            CallerType.OPERATOR,
            schemas.ConversationResponse,
            "End the snooze of a conversation",
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_OPERATOR}/conversation/{{id}}/read",
            handlers.mark_read,
            CallerType.OPERATOR,
            schemas.ConversationResponse,
            "Mark messages as read, up to a seq",
            body=schemas.ReadBody,
            example={"seq": 3},
            required_permission=Permission.VIEW,
            rate_limit=RateLimitClass.WRITE,
        ),
    ]


def _query_routes(queries: ConversationQueryHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            f"{_OPERATOR}/mentions",
            queries.list_mentions,
            CallerType.OPERATOR,
            schemas.MentionsResponse,
            "Notes that mention you and that you have not read, newest first",
        ),
        Route(
            "POST",
            f"{_OPERATOR}/conversation/{{id}}/mentions/read",
            queries.mark_mentions_read,
            CallerType.OPERATOR,
            OkResponse,
            "Clear your mentions in the notes of a conversation",
            required_permission=Permission.VIEW,
            rate_limit=RateLimitClass.WRITE,
        ),
        Route(
            "GET",
            f"{_OPERATOR}/conversation/{{id}}",
            queries.get_details,
            CallerType.OPERATOR,
            schemas.ConversationDetailResponse,
            "A conversation with its messages, notes and history",
            required_permission=Permission.VIEW,
            query=schemas.MessageWindowQuery,
        ),
        Route(
            "GET",
            f"{_OPERATOR}/active-chats",
            queries.list_site_queue,
            CallerType.OPERATOR,
            schemas.QueueResponse,
            "The queue of a site, longest waiting first",
            required_permission=Permission.VIEW,
            query=schemas.SiteQueueQuery,
        ),
        Route(
            "GET",
            f"{_OPERATOR}/all-active-chats",
            queries.list_queue,
            CallerType.OPERATOR,
            schemas.AllQueuesResponse,
            "The queue of all your sites",
            required_permission=Permission.VIEW,
            query=schemas.QueueQuery,
        ),
        Route(
            "GET",
            f"{_OPERATOR}/all-chat-counts",
            queries.count,
            CallerType.OPERATOR,
            schemas.CountsResponse,
            "How many conversations are pending and how many are assigned",
            required_permission=Permission.VIEW,
        ),
        Route(
            "GET",
            f"{_OPERATOR}/operators",
            queries.list_transfer_candidates,
            CallerType.OPERATOR,
            schemas.TransferCandidatesResponse,
            "Operators to whom a site's conversations can be transferred",
            required_permission=Permission.CHAT,
            query=schemas.TransferCandidatesQuery,
        ),
        Route(
            "GET",
            f"{_SITE}/conversations",
            queries.list_archive,
            CallerType.OPERATOR,
            schemas.ArchiveResponse,
            "All conversations of a site, newest first",
            required_permission=Permission.VIEW,
            query=schemas.ArchiveQuery,
        ),
        Route(
            "GET",
            f"{_SITE}/ratings",
            queries.list_ratings,
            CallerType.OPERATOR,
            schemas.RatingsResponse,
            "Ratings by visitors, newest first",
            required_permission=Permission.VIEW,
            query=PageQuery,
        ),
        Route(
            "GET",
            f"{_SITE}/ratings/stats",
            queries.get_rating_stats,
            CallerType.OPERATOR,
            schemas.RatingStatsResponse,
            "How often each score was given",
            required_permission=Permission.VIEW,
            query=schemas.RatingStatsQuery,
        ),
    ]
