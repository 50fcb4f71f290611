"""The route table of chat's conversations: method, path, handler, who may call it, and what it takes and gives.

The administration's routes stand in `admin_routes.py`.
"""

from __future__ import annotations

from typing import Any

from parley.chat import schemas as v
from parley.chat.conversations import handlers as c
from parley.chat.conversations import query_handlers as li
from parley.chat.conversations.handlers import ConversationHandlers
from parley.chat.conversations.query_handlers import ListHandlers
from parley.chat.uploads.handlers import UploadHandlers
from parley.chat.visitors import handlers as vi
from parley.chat.visitors.handlers import VisitorHandlers
from parley.chat.widget import handlers as w
from parley.chat.widget.handlers import WidgetHandlers
from parley.common.auth.identity import Permission
from parley.common.http import Rate, Route, Who

OPERATOR, VISITOR = Who.OPERATOR, Who.VISITOR
CHAT, VIEW, MANAGE = Permission.CHAT, Permission.VIEW, Permission.MANAGE
_OP = "/api/v1/operator"
_SITE = "/api/v1/sites/{site_id}"
_CHAT = "/api/v1/chat"
_WIDGET = {"site_key": "pk_0123456789abcdef01234567", "session_id": "0123456789abcdef0123456789abcdef"}


def operator_routes(one: ConversationHandlers, visitors: VisitorHandlers, uploads: UploadHandlers) -> list[Route]:
    """What operators do."""
    write: Any = {"needs": CHAT, "rate": Rate.WRITE}
    return [
        Route(
            "POST",
            f"{_OP}/message",
            one.message,
            OPERATOR,
            v.MessageAnswer,
            "Send a message; in a conversation that nobody holds, take it over first",
            body=c.SendMessage,
            example={"conversation_id": 50, "content": "Hi, this is Alex."},
            own_idempotency=True,
            **write,
        ),
        Route(
            "POST",
            f"{_OP}/accept/{{id}}",
            one.accept,
            OPERATOR,
            v.ConversationAnswer,
            "Take a conversation over",
            **write,
        ),
        Route(
            "POST", f"{_OP}/close/{{id}}", one.close, OPERATOR, v.ConversationAnswer, "Close a conversation", **write
        ),
        Route(
            "POST",
            f"{_OP}/transfer/{{id}}",
            one.transfer,
            OPERATOR,
            v.ConversationAnswer,
            "Pass a conversation to another operator",
            body=c.TransferTo,
            example={"operator_id": 7},
            **write,
        ),
        Route(
            "POST",
            f"{_OP}/release/{{id}}",
            one.release,
            OPERATOR,
            v.ConversationAnswer,
            "Give a conversation back to the AI",
            **write,
        ),
        Route(
            "POST",
            f"{_OP}/typing",
            one.typing,
            OPERATOR,
            v.Done,
            "Show the visitor that you are writing",
            body=c.InConversation,
            example={"conversation_id": 50},
            needs=CHAT,
            rate=Rate.BEAT,
        ),
        Route(
            "POST",
            f"{_OP}/note",
            one.note,
            OPERATOR,
            v.NoteAnswer,
            "Add a private note",
            body=c.WriteNote,
            example={"conversation_id": 50, "content": "VIP customer"},
            **write,
        ),
        Route(
            "POST",
            f"{_OP}/proactive-message",
            one.reach_out,
            OPERATOR,
            v.MessageAnswer,
            "Write first to a visitor who is online",
            body=c.ReachOut,
            example={"site_id": 1, "session_id": "sess_" + "0" * 32, "content": "Need help?"},
            **write,
        ),
        Route(
            "POST",
            f"{_OP}/upload-image",
            uploads.by_operator,
            OPERATOR,
            v.UploadAnswer,
            "Upload an image",
            needs=CHAT,
            rate=Rate.UPLOAD,
            takes="multipart/form-data",
        ),
        Route(
            "GET",
            f"{_OP}/conversation/{{id}}",
            one.show,
            OPERATOR,
            v.ConversationDetailAnswer,
            "A conversation with its messages, notes and history",
            needs=VIEW,
            query=c.MessageWindow,
        ),
        *(
            Route(
                method,
                f"{_OP}/conversation/{{id}}/visitor",
                visitors.describe,
                OPERATOR,
                v.ConversationAnswer,
                "Write down what is known of the visitor",
                body=vi.Details,
                example={"name": "Jane"},
                **write,
            )
            for method in ("PUT", "PATCH", "POST")
        ),
        Route(
            "POST",
            f"{_OP}/conversation/{{id}}/block",
            visitors.block,
            OPERATOR,
            v.VisitorAnswer,
            "Block a visitor, or let them in again",
            body=vi.Block,
            example={"blocked": True, "block_type": "both"},
            **write,
        ),
        Route(
            "POST",
            f"{_OP}/conversation/{{id}}/read",
            one.read,
            OPERATOR,
            v.ConversationAnswer,
            "Mark read up to a message",
            body=c.ReadUpTo,
            example={"seq": 3},
            needs=VIEW,
            rate=Rate.WRITE,
        ),
    ]


def list_routes(lists: ListHandlers) -> list[Route]:
    """What operators and administrators look at."""
    return [
        Route(
            "GET",
            f"{_OP}/active-chats",
            lists.active,
            OPERATOR,
            v.ChatsAnswer,
            "A site's queue, longest waiting first",
            needs=VIEW,
            query=li.SiteQueueQuery,
        ),
        Route(
            "GET",
            f"{_OP}/all-active-chats",
            lists.all_active,
            OPERATOR,
            v.AllChatsAnswer,
            "The queue of all your sites",
            needs=VIEW,
            query=li.QueueQuery,
        ),
        Route(
            "GET",
            f"{_OP}/all-chat-counts",
            lists.counts,
            OPERATOR,
            v.CountsAnswer,
            "How many wait and how many are held",
            needs=VIEW,
        ),
        Route(
            "GET",
            f"{_OP}/operators",
            lists.operators,
            OPERATOR,
            v.OperatorsAnswer,
            "Who could take a conversation of a site",
            needs=CHAT,
            query=li.SiteQuery,
        ),
        Route(
            "GET",
            f"{_OP}/blocked",
            lists.blocked,
            OPERATOR,
            v.BlockedAnswer,
            "Blocked visitors of a site",
            needs=VIEW,
            query=li.SitePageQuery,
        ),
        Route(
            "GET",
            f"{_SITE}/conversations",
            lists.archive,
            OPERATOR,
            v.ArchiveAnswer,
            "All conversations of a site, newest first",
            needs=VIEW,
            query=li.ArchiveQuery,
        ),
        Route(
            "GET",
            f"{_SITE}/leads",
            lists.leads,
            OPERATOR,
            v.LeadsAnswer,
            "Visitors of a site who left an address",
            needs=VIEW,
            query=li.NumberedQuery,
        ),
        Route(
            "GET",
            "/api/v1/conversations/{id}/messages",
            lists.messages,
            OPERATOR,
            v.MessagesAnswer,
            "A conversation's messages",
            needs=VIEW,
            query=li.MessagesQuery,
        ),
        Route(
            "GET",
            f"{_SITE}/ratings",
            lists.ratings,
            OPERATOR,
            v.RatingsAnswer,
            "Scores that visitors gave, newest first",
            needs=VIEW,
            query=li.PageQuery,
        ),
        Route(
            "GET",
            f"{_SITE}/ratings/stats",
            lists.rating_stats,
            OPERATOR,
            v.RatingStatsAnswer,
            "How often which score was given",
            needs=VIEW,
            query=li.StatsQuery,
        ),
    ]


def widget_routes(widget: WidgetHandlers, uploads: UploadHandlers) -> list[Route]:
    """What a visitor's widget calls."""
    write: Any = {"rate": Rate.WRITE}
    return [
        Route(
            "POST",
            f"{_CHAT}/stream",
            widget.stream,
            VISITOR,
            None,
            "Say something, and read the answer as it is written",
            body=w.Say,
            media="text/event-stream",
            example={**_WIDGET, "message": "What are your opening hours?"},
            **write,
        ),
        Route(
            "GET",
            f"{_CHAT}/history",
            widget.history,
            VISITOR,
            w.HistoryAnswer,
            "What was said so far",
            query=w.HistoryQuery,
        ),
        Route(
            "GET",
            f"{_CHAT}/operator-messages",
            widget.operator_messages,
            VISITOR,
            v.MessagesAnswer,
            "What operators have said since",
            query=w.OperatorMessagesQuery,
        ),
        Route(
            "GET",
            f"{_CHAT}/pending-proactive",
            widget.pending_proactive,
            VISITOR,
            v.MessagesAnswer,
            "Messages written to you first, not seen yet",
            query=w.WidgetQuery,
        ),
        Route(
            "GET",
            f"{_CHAT}/block-status",
            widget.block_status,
            VISITOR,
            v.BlockStatusAnswer,
            "Whether you may write",
            query=w.WidgetQuery,
        ),
        Route(
            "GET",
            f"{_CHAT}/config",
            widget.config,
            VISITOR,
            w.ConfigAnswer,
            "How the widget looks and greets",
            query=w.WidgetQuery,
        ),
        Route(
            "POST",
            f"{_CHAT}/email",
            widget.email,
            VISITOR,
            v.Done,
            "Leave an e-mail address",
            body=w.LeaveEmail,
            example={**_WIDGET, "email": "jane@example.com"},
            **write,
        ),
        Route(
            "POST",
            f"{_CHAT}/contact",
            widget.contact,
            VISITOR,
            v.Done,
            "Leave name, e-mail address or telephone",
            body=w.LeaveContact,
            example={**_WIDGET, "name": "Jane"},
            **write,
        ),
        Route(
            "POST",
            f"{_CHAT}/rate",
            widget.rate,
            VISITOR,
            v.Done,
            "Give a score from 1 to 5",
            body=w.Rate,
            example={**_WIDGET, "score": 5},
            **write,
        ),
        Route(
            "POST",
            f"{_CHAT}/read",
            widget.read,
            VISITOR,
            v.Done,
            "Tell that you have seen messages up to one",
            body=w.ReadSeq,
            example={**_WIDGET, "seq": 2},
            **write,
        ),
        Route(
            "POST",
            f"{_CHAT}/typing",
            widget.typing,
            VISITOR,
            v.Done,
            "Show that you are writing",
            body=w.FromWidget,
            example=_WIDGET,
            rate=Rate.BEAT,
        ),
        Route(
            "POST",
            f"{_CHAT}/handoff",
            widget.hand_off,
            VISITOR,
            w.ModeAnswer,
            "Ask for a person",
            body=w.FromWidget,
            example=_WIDGET,
            **write,
        ),
        Route(
            "POST",
            f"{_CHAT}/upload-image",
            uploads.by_visitor,
            VISITOR,
            v.UploadAnswer,
            "Upload an image",
            rate=Rate.UPLOAD,
            takes="multipart/form-data",
        ),
    ]
