"""The public routes of chat: the tables of all features, each defined in the feature's own `routes.py`."""

from __future__ import annotations

from parley.chat.ai import routes as ai_routes
from parley.chat.ai.handlers import AiHandlers
from parley.chat.answer_tests import routes as answer_test_routes
from parley.chat.bulk_actions import routes as bulk_action_routes
from parley.chat.bulk_actions.handlers import BulkActionHandlers
from parley.chat.canned_replies import routes as canned_reply_routes
from parley.chat.canned_replies.handlers import CannedReplyHandlers
from parley.chat.conversations import routes as conversation_routes
from parley.chat.conversations.handlers import ConversationHandlers
from parley.chat.conversations.query_handlers import ConversationQueryHandlers
from parley.chat.copilot import routes as copilot_routes
from parley.chat.copilot.handlers import CopilotHandlers
from parley.chat.corrections import routes as correction_routes
from parley.chat.features import Features
from parley.chat.files import routes as file_routes
from parley.chat.forms import routes as form_routes
from parley.chat.forms.handlers import FormHandlers
from parley.chat.identification import routes as identification_routes
from parley.chat.identification.handlers import IdentificationHandlers
from parley.chat.knowledge_gaps import routes as gap_routes
from parley.chat.knowledge_sources import routes as knowledge_source_routes
from parley.chat.knowledge_sources.handlers import SourceHandlers
from parley.chat.mcp_servers import routes as mcp_server_routes
from parley.chat.messages import routes as message_routes
from parley.chat.messages.handlers import MessageHandlers
from parley.chat.privacy import routes as privacy_routes
from parley.chat.privacy.handlers import PersonalDataHandlers
from parley.chat.search import routes as search_routes
from parley.chat.search.handlers import SearchHandlers
from parley.chat.site_texts import routes as site_text_routes
from parley.chat.site_texts.handlers import SiteTextHandlers
from parley.chat.tools import routes as tool_routes
from parley.chat.transcripts import routes as transcript_routes
from parley.chat.transcripts.handlers import TranscriptHandlers
from parley.chat.triggers import routes as trigger_routes
from parley.chat.triggers.handlers import TriggerDeliveryHandlers
from parley.chat.uploads import routes as upload_routes
from parley.chat.views import routes as view_routes
from parley.chat.views.handlers import ViewHandlers
from parley.chat.visitors import routes as visitor_routes
from parley.chat.visitors.handlers import VisitorHandlers
from parley.chat.widget import routes as widget_routes
from parley.chat.widget.handlers import WidgetHandlers
from parley.common.http import Route


def build_routes(features: Features) -> list[Route]:
    admin, conversations, ai = features.admin, features.conversations, features.ai
    uploads, files = features.uploads, features.file_handlers
    queries, visitors = conversations.queries, conversations.visitors
    widget = WidgetHandlers(
        conversations.widget,
        conversations.visitor_messages,
        ai.replies,
        visitors,
        uploads.uploads,
        files.files,
        conversations.triggers,
        conversations.transcripts,
        conversations.late_writes,
    )
    return [
        *conversation_routes.routes(
            ConversationHandlers(conversations.conversations), ConversationQueryHandlers(queries)
        ),
        *bulk_action_routes.routes(BulkActionHandlers(conversations.bulk_actions)),
        *message_routes.routes(MessageHandlers(conversations.operator_messages, queries, uploads.uploads, files.files)),
        *visitor_routes.routes(VisitorHandlers(visitors)),
        *widget_routes.routes(widget),
        *transcript_routes.routes(TranscriptHandlers(conversations.transcripts)),
        *identification_routes.visitor_routes(
            IdentificationHandlers(conversations.identification, conversations.session_ends)
        ),
        *form_routes.visitor_routes(FormHandlers(conversations.forms, conversations.late_writes)),
        *trigger_routes.visitor_routes(TriggerDeliveryHandlers(conversations.triggers)),
        *upload_routes.routes(uploads),
        *ai_routes.routes(AiHandlers(ai.doctor, ai.spending)),
        *copilot_routes.routes(CopilotHandlers(ai.copilot)),
        *file_routes.routes(files),
        *privacy_routes.routes(PersonalDataHandlers(features.personal_data)),
        *view_routes.routes(ViewHandlers(conversations.views)),
        *canned_reply_routes.routes(CannedReplyHandlers(admin.canned_replies, uploads.uploads, files.files)),
        *search_routes.routes(SearchHandlers(features.search.searches)),
        *site_text_routes.routes(SiteTextHandlers(features.site_texts)),
        *knowledge_source_routes.routes(SourceHandlers(features.knowledge_sources.service)),
        *tool_routes.routes(features.tools.handlers),
        *mcp_server_routes.routes(features.tools.servers.handlers),
        *answer_test_routes.routes(features.answer_tests.handlers),
        *gap_routes.routes(features.gaps.handlers),
        *correction_routes.routes(features.corrections.handlers),
        *admin.routes(),
    ]
