"""Translates what was written before an operator turned translation on."""

from __future__ import annotations

from typing import Final

from parley.common.errors import Unavailable
from parley.common.observability.logging import get_logger
from parley.common.runtime.tasks import BackgroundTasks
from parley.translate.messages.model import Message
from parley.translate.messages.ports import RecentMessages
from parley.translate.messages.service import MessageTranslationService
from parley.translate.preferences.model import Preferences
from parley.translate.preferences.service import PreferenceService

log = get_logger(__name__)

MAX_BACKLOG: Final = 30
"""How many messages are translated: about what is on the operator's screen."""


class Backlog:
    """Finds the visitor's language in what they have written, then translates that for the operator."""

    def __init__(
        self,
        recent: RecentMessages,
        messages: MessageTranslationService,
        preferences: PreferenceService,
        tasks: BackgroundTasks,
    ) -> None:
        self._recent = recent
        self._messages = messages
        self._preferences = preferences
        self._tasks = tasks

    async def start(self, preferences: Preferences) -> Preferences:
        """Return the preferences with the visitor's language, and translate the messages in the background.

        Without chat's answer nothing changes: the next message brings the language.
        """
        conversation = preferences.conversation
        try:
            messages = await self._recent.list(conversation.id, MAX_BACKLOG)
        except Unavailable:
            log.info("backlog_unavailable", conversation=conversation.id)
            return preferences
        await self._messages.detect_language(preferences, messages)
        self._tasks.spawn(self._translate(preferences, messages), "backlog")
        return await self._preferences.get(conversation.id) or preferences

    async def _translate(self, preferences: Preferences, messages: list[Message]) -> None:
        for message in messages:
            await self._messages.translate_earlier_message(preferences.conversation, message)
