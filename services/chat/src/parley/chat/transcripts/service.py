"""Transcripts of conversations: as a text file for their visitor, and by e-mail for visitors and operators.

A mail is requested here and sent by notify, which asks for its content at each try: so nothing is sent of a visitor who
was erased meanwhile.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from parley.chat.actors import operator_ref
from parley.chat.conversations import transitions
from parley.chat.conversations.errors import ConversationNotFound
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.ports import AuditLog, ConversationRepository
from parley.chat.messages.model import Message
from parley.chat.messages.ports import MessageRepository
from parley.chat.sites.site_settings import SiteSettings, SiteSettingsReader, find_site
from parley.chat.system_messages import get_locale_strings
from parley.chat.transcripts.errors import NothingToSend, TooManyTranscripts, TranscriptMailIsOff
from parley.chat.transcripts.model import TranscriptMail, TranscriptRequest
from parley.chat.transcripts.ports import DailyLimits, TranscriptRequests
from parley.chat.transcripts.rendering import to_mail, to_transcript
from parley.chat.visitors.service import VisitorService, require_not_blocked
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.events.schemas import OperatorRef
from parley.common.runtime.clock import Clock

MAX_PER_CONVERSATION: Final = 5
MAX_PER_ADDRESS: Final = 5
"""Of all sites together: nobody is sent more, however many sites and sessions ask for it."""
MAX_PER_SITE: Final = 500
_PAGE = 100
_MAX_FILE_PAGES = 50
_MAX_MAIL_PAGES = 10


@dataclass(frozen=True, slots=True)
class TranscriptService:
    visitors: VisitorService
    conversations: ConversationRepository
    messages: MessageRepository
    sites: SiteSettingsReader
    requests: TranscriptRequests
    limits: DailyLimits
    audit: AuditLog
    clock: Clock
    mail_is_on: bool
    """Whether the installation sends mail."""

    def is_offered(self, site: SiteSettings) -> bool:
        """Whether a site's visitors and operators can have transcripts sent by e-mail."""
        return self.mail_is_on and site.transcript_email

    async def get_text(self, caller: VisitorCaller, language: str | None) -> str:
        """The visitor's latest conversation as a text: its last 5 000 messages. Raises VisitorNotFound."""
        visitor = await self.visitors.get(caller)
        site = await self.sites.get(caller.tenant_id, caller.site_id)
        latest = await self.conversations.find_latest(visitor)
        messages = [] if latest is None else await self._list_last(latest, None, _MAX_FILE_PAGES)
        return to_transcript(site.bot_name, messages, get_locale_strings(language or visitor.language))

    async def request_by_visitor(self, caller: VisitorCaller, email: str, language: str | None) -> None:
        """Have the visitor's latest conversation sent to an address.

        Raises VisitorNotFound, VisitorIsBlocked, TranscriptMailIsOff, NothingToSend, TooManyTranscripts.
        """
        visitor = await self.visitors.get(caller)
        require_not_blocked(visitor)
        latest = await self.conversations.find_latest(visitor)
        if latest is None:
            raise NothingToSend
        await self._request(latest, email, language or visitor.language, None)

    async def request_by_operator(self, caller: OperatorCaller, conversation_id: int, email: str) -> None:
        """Have a conversation sent to an address, in the visitor's language. The audit log has the address's domain.

        Raises ConversationNotFound, Forbidden, TranscriptMailIsOff, NothingToSend, TooManyTranscripts.
        """
        conversation = await self.conversations.find(caller.tenant_id, conversation_id)
        if conversation is None:
            raise ConversationNotFound
        caller.authorize(conversation.tenant_id, conversation.site_id)
        await self._request(conversation, email, conversation.visitor.language, caller)

    async def find_mail(self, request_id: str) -> TranscriptMail | None:
        """What is to be sent for a request: its last 1 000 messages, never notes.

        None if the visitor or the conversation was erased, or the site deleted.
        """
        request = await self.requests.find(request_id)
        if request is None:
            return None
        conversation = await self.conversations.find(request.tenant_id, request.conversation_id)
        site = await find_site(self.sites, request.tenant_id, request.site_id)
        if conversation is None or site is None:
            return None
        messages = await self._list_last(conversation, request.up_to_seq + 1, _MAX_MAIL_PAGES)
        return to_mail(request.email, site.bot_name, messages, request.language)

    async def _request(
        self, conversation: Conversation, email: str, language: str | None, caller: OperatorCaller | None
    ) -> None:
        site = await find_site(self.sites, conversation.tenant_id, conversation.site_id)
        if site is None or not self.is_offered(site):
            raise TranscriptMailIsOff
        if conversation.last_seq == 0:
            raise NothingToSend
        at, by = self.clock(), operator_ref(caller) if caller is not None else None
        if not await self.limits.acquire(_limits(conversation, email, at)):
            raise TooManyTranscripts(_seconds_until_tomorrow(at))
        entry = None
        if caller is not None:
            target, domain = f"conversation:{conversation.id}", email.rpartition("@")[2]
            entry = await self.audit.entry(
                caller, "transcript.sent", target, conversation.site_id, {"email_domain": domain}
            )
        await self.requests.add(_to_request(conversation, email, language, by, at), entry)
        await self.conversations.change(
            conversation.tenant_id,
            conversation.id,
            lambda current: transitions.record_transcript(current, by, at),
        )

    async def _list_last(self, conversation: Conversation, before_seq: int | None, max_pages: int) -> list[Message]:
        messages: list[Message] = []
        for _ in range(max_pages):
            page = await self.messages.list_for_conversation(conversation, before_seq=before_seq, limit=_PAGE)
            messages[:0] = page
            if len(page) < _PAGE:
                break
            before_seq = page[0].seq
        return messages


def _to_request(
    conversation: Conversation, email: str, language: str | None, by: OperatorRef | None, at: datetime
) -> TranscriptRequest:
    return TranscriptRequest(
        id=secrets.token_hex(16),
        tenant_id=conversation.tenant_id,
        site_id=conversation.site_id,
        conversation_id=conversation.id,
        session=conversation.visitor.session,
        email=email,
        language=language,
        up_to_seq=conversation.last_seq,
        requested_by=by,
        requested_at=at,
    )


def _limits(conversation: Conversation, email: str, at: datetime) -> Mapping[str, int]:
    """The counters of a day. An address is counted by its hash, so that the counters do not disclose it."""
    address = hashlib.blake2b(_mailbox_of(email).encode(), digest_size=16).hexdigest()
    day = f"{at:%Y-%m-%d}"
    return {
        f"conversation:{conversation.id}:{day}": MAX_PER_CONVERSATION,
        f"address:{address}:{day}": MAX_PER_ADDRESS,
        f"site:{conversation.site_id}:{day}": MAX_PER_SITE,
    }


def _mailbox_of(email: str) -> str:
    """Where an address leads to: most servers deliver `jane+shop@…` to `jane@…`, and ignore the case."""
    local, _, domain = email.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _seconds_until_tomorrow(at: datetime) -> int:
    tomorrow = datetime.combine(at.date() + timedelta(days=1), time(), at.tzinfo)
    return int((tomorrow - at).total_seconds()) + 1
