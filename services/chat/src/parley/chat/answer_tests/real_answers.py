"""Real answers of the AI: a sample of them, and what was asked before each."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.ai.prompts import describe_message, select_context
from parley.chat.ai.reply_generator import MAX_CONTEXT_MESSAGES
from parley.chat.answer_tests.model import GivenAnswer, Replay
from parley.chat.answer_tests.ports import ConversationReader, MessageReader, RealAnswer


@dataclass(frozen=True, slots=True)
class RealAnswerReader:
    conversations: ConversationReader
    messages: MessageReader

    async def read(self, tenant_id: int, site_id: int, replay: Replay) -> RealAnswer | None:
        """What was asked and answered. None if the conversation is gone, or is another site's."""
        conversation = await self.conversations.find(tenant_id, replay.conversation_id)
        if conversation is None or conversation.site_id != site_id:
            return None
        before = await self.messages.list_for_conversation(
            conversation, before_seq=replay.question_seq + 1, limit=MAX_CONTEXT_MESSAGES
        )
        replies = await self.messages.list_for_conversation(conversation, after_seq=replay.reply_seq - 1, limit=1)
        question = next((one for one in before if one.seq == replay.question_seq), None)
        reply = next((one for one in replies if one.seq == replay.reply_seq), None)
        if question is None or reply is None or question.role != "visitor" or reply.role != "ai":
            return None
        return RealAnswer(
            replay,
            describe_message(question),
            conversation.visitor.language,
            select_context(replay.question_seq, before),
            GivenAnswer("answered", reply.content, reply.sources),
        )
