"""AI replies as background work: started by a visitor's message, continued by another replica if this one dies.

A reply does not belong to the request that started it: a visitor who disconnects finds it in the history, and one who
sends the same message again joins the reply in flight, on this replica or on another. The replica that generates a
reply has a lease in the conversation and renews it. Once the lease has ended, another replica starts the reply again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from parley.chat.ai import timeouts
from parley.chat.ai.model import ReplyOutcome
from parley.chat.ai.ports import Spawn
from parley.chat.ai.reply_generator import ReplyGenerator
from parley.chat.ai.reply_stream import AiReplyStream
from parley.chat.conversations import transitions
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.ports import ConversationRepository
from parley.chat.messages.model import Message
from parley.chat.messages.ports import MessageRepository
from parley.chat.messages.visitor_service import ReceivedMessage
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import Clock
from parley.common.runtime.tasks import cancel_and_wait, keep_running

log = get_logger(__name__)

_MAX_RESUMED_PER_RUN = 50


@dataclass(slots=True)
class ConversationLock:
    """One reply at a time in a conversation: the next one's prompt contains the one before."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    holders: int = 0
    """Replies that wait for the lock or have it."""


@dataclass(slots=True)
class AiReplyService:
    conversations: ConversationRepository
    messages: MessageRepository
    generator: ReplyGenerator
    clock: Clock
    spawn: Spawn
    _in_flight: dict[tuple[int, int], AiReplyStream] = field(default_factory=dict)
    """Replies on this replica, by conversation id and the seq they answer."""
    _locks: dict[int, ConversationLock] = field(default_factory=dict)
    _questions: dict[int, asyncio.Event] = field(default_factory=dict)
    """Set when the visitor writes again, by the id of a conversation in which an image waits for a question."""

    def start_or_join(self, received: ReceivedMessage, client_ip: str = "") -> AiReplyStream | None:
        """The reply to a message just received from a client IP. None if the AI gives none, or not on this replica."""
        conversation, message = received.conversation, received.message
        if message is None:
            return None
        stream = self._in_flight.get((conversation.id, message.seq))
        if stream is not None or received.duplicate:
            return stream
        if conversation.mode != "ai" or conversation.reply_lease is None:
            return None
        if (question := self._questions.get(conversation.id)) is not None:
            question.set()
        return self._start(conversation, message.seq, client_ip, awaits_question=message.is_only_image)

    def find_outcome(self, received: ReceivedMessage, stream: AiReplyStream | None) -> ReplyOutcome | None:
        """The outcome of a message that gets no reply. None if there is one to wait for, or if that is not known."""
        if stream is not None or received.duplicate:
            return None
        # The conversation was written with this message a moment ago: no need to read it again.
        return ReplyOutcome(received.conversation, None)

    async def subscribe(
        self, received: ReceivedMessage, stream: AiReplyStream | None
    ) -> AsyncIterator[str | ReplyOutcome]:
        """Yield the reply's chunks, then its outcome. Without a stream, wait for the reply of another replica."""
        conversation, message = received.conversation, received.message
        if stream is not None:
            async for chunk in stream.subscribe():
                yield chunk
        elif (outcome := self.find_outcome(received, stream)) is not None:
            yield outcome
            return
        elif message is not None:
            reply = await self._wait_for_other_replica(conversation, message.seq)
            if reply is not None:
                yield reply.content
                yield ReplyOutcome(await self._reload(conversation), reply)
                return
        yield ReplyOutcome(await self._reload(conversation), stream.message if stream else None)

    async def resume_expired(self) -> int:
        """Start replies whose lease has ended, as their replica has died. Returns how many."""
        started = 0
        for conversation in await self.conversations.list_expired_replies(self.clock(), _MAX_RESUMED_PER_RUN):
            change = await self.conversations.change(
                conversation.tenant_id, conversation.id, partial(transitions.renew_reply_lease, at=self.clock())
            )
            if change is not None and change.conversation.reply_lease is not None:
                self._start(change.conversation, change.conversation.reply_lease.seq)
                started += 1
        return started

    def _start(
        self, conversation: Conversation, seq: int, client_ip: str = "", *, awaits_question: bool = False
    ) -> AiReplyStream:
        stream = self._in_flight[(conversation.id, seq)] = AiReplyStream()
        question = None
        if awaits_question:
            question = self._questions[conversation.id] = asyncio.Event()
        self.spawn(self._run(conversation, seq, stream, client_ip, question), f"answer:{conversation.id}:{seq}")
        return stream

    async def _run(
        self,
        conversation: Conversation,
        seq: int,
        stream: AiReplyStream,
        client_ip: str,
        question: asyncio.Event | None,
    ) -> None:
        message = None
        async with self._lease_renewal(conversation.id, seq):
            try:
                if question is not None and await self._is_settled(conversation, seq, question):
                    # The reply to what the visitor has written since covers both.
                    return
                async with self._lock(conversation.id):
                    message = await self.generator.generate(conversation, seq, stream, client_ip)
            finally:
                stream.finish(message)
                self._in_flight.pop((conversation.id, seq), None)

    async def _is_settled(self, conversation: Conversation, seq: int, question: asyncio.Event) -> bool:
        """Wait for a short time. Whether the image needs no reply any more, as the visitor has written again."""
        try:
            async with asyncio.timeout(timeouts.QUESTION_TIMEOUT_SECONDS):
                await question.wait()
        except TimeoutError:
            current = await self.conversations.find(conversation.tenant_id, conversation.id)
            if current is None or current.generation != conversation.generation:
                # The visitor was erased, or somebody else answers.
                return True
            # Another replica may have received what follows.
            later = await self.messages.list_for_conversation(current, after_seq=seq)
            return any(message.role == "visitor" for message in later)
        finally:
            if self._questions.get(conversation.id) is question:
                del self._questions[conversation.id]
        return True

    @asynccontextmanager
    async def _lock(self, conversation_id: int) -> AsyncIterator[None]:
        lock = self._locks.setdefault(conversation_id, ConversationLock())
        lock.holders += 1
        try:
            async with lock.lock:
                yield
        finally:
            lock.holders -= 1
            # Not while others wait for it: a later reply would get another lock.
            if not lock.holders:
                del self._locks[conversation_id]

    @asynccontextmanager
    async def _lease_renewal(self, conversation_id: int, seq: int) -> AsyncIterator[None]:
        renewal = keep_running(partial(self._renew_lease, conversation_id, seq), "reply-lease")
        try:
            yield
        finally:
            await cancel_and_wait(renewal)

    async def _renew_lease(self, conversation_id: int, seq: int) -> None:
        while True:
            await asyncio.sleep(timeouts.LEASE_RENEWAL_SECONDS)
            try:
                until = self.clock() + transitions.REPLY_LEASE_DURATION
                await self.conversations.extend_reply_lease(conversation_id, seq, until)
            except Exception as exc:
                # The next renewal may come in time. If not, another replica replies, and this reply is discarded.
                log.warning("reply_lease_not_renewed", conversation_id=conversation_id, error=repr(exc)[:300])

    async def _wait_for_other_replica(self, conversation: Conversation, seq: int) -> Message | None:
        """The stored reply to `seq`. None if no reply is due, or none is stored before the timeout."""
        deadline = self.clock() + timedelta(seconds=timeouts.OTHER_REPLICA_TIMEOUT_SECONDS)
        while True:
            reply = await self.messages.find_ai_reply(conversation, seq)
            if reply is not None:
                return reply
            current = await self._reload(conversation)
            lease = current.reply_lease
            if lease is None or lease.seq < seq or self.clock() > deadline:
                return await self.messages.find_ai_reply(current, seq)
            await asyncio.sleep(timeouts.OTHER_REPLICA_POLL_SECONDS)

    async def _reload(self, conversation: Conversation) -> Conversation:
        return await self.conversations.find(conversation.tenant_id, conversation.id) or conversation
