"""Translates what was written before an operator turned translation on."""

from __future__ import annotations

from typing import Final

from parley.common.errors import Unavailable
from parley.common.observability.logging import get_logger
from parley.translate.messages.ports import RecentMessages
from parley.translate.messages.service import MessageTranslationService
from parley.translate.preferences.model import Preferences
from parley.translate.preferences.service import PreferenceService

log = get_logger(__name__)

MAX_BACKLOG: Final = 30
"""How many messages are translated: about what is on the operator's screen."""


class Backlog:
    """Finds the visitor's language in what they have written, and translates that for the operator.

    The request that turns translation on waits for the language only. The translations follow from the event of that
    change, whose queue delivers it again if this process ends in between.
    """

    def __init__(
        self, recent: RecentMessages, messages: MessageTranslationService, preferences: PreferenceService
    ) -> None:
        self._recent = recent
        self._messages = messages
        self._preferences = preferences

    async def detect_language(self, preferences: Preferences) -> Preferences:
        """Return the preferences with the visitor's language as far as it can be detected.

        Without chat's answer nothing changes: `translate` or the next message brings the language.
        """
        conversation = preferences.conversation
        try:
            messages = await self._recent.list(conversation.id, MAX_BACKLOG)
        except Unavailable:
            log.info("backlog_unavailable", conversation=conversation.id)
            return preferences
        await self._messages.detect_language(preferences, messages)
        return await self._preferences.get(conversation.id) or preferences

    async def translate(self, conversation_id: int) -> None:
        """Translate the newest messages that are not translated yet, if translation is on. Raises Unavailable."""
        preferences = await self._preferences.get(conversation_id)
        if preferences is None or not preferences.enabled:
            return
        messages = await self._recent.list(conversation_id, MAX_BACKLOG)
        await self._messages.detect_language(preferences, messages)
        for message in messages:
            await self._messages.translate_earlier_message(preferences.conversation, message)
