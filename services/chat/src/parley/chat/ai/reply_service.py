"""The AI's answers: written while they are thought, kept whole, and never a word after a person has taken over.

An answer is a task of the service, not of the request that asked for it: a visitor who leaves finds it in the
history, and one who sends the same message again joins the answer under way, here or on another replica. Whoever owes
an answer holds a claim in the conversation and renews it; when that lapses (a replica died) another one takes it over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from parley.chat import metrics
from parley.chat.ai.prompts import said_before
from parley.chat.conversations import transitions
from parley.chat.conversations.away_notice import absence
from parley.chat.conversations.model import Change, Conversation, Draft, Message
from parley.chat.conversations.ports import (
    ConversationStore,
    Engine,
    Engines,
    Knowledge,
    MessageStore,
    NextId,
    Prompt,
    Sites,
    SiteSettings,
    Spending,
    Verdict,
    Whereabouts,
)
from parley.chat.i18n import Phrases, asks_for_a_person, phrases_for
from parley.chat.messages.service import Received
from parley.common.observability import tracing
from parley.common.observability.logging import logger
from parley.common.observability.tracing import Kind
from parley.common.runtime.clock import Clock
from parley.common.runtime.tasks import TaskGroup, cancel_and_wait

log = logger(__name__)

RECENT_MESSAGES = 20
PASSAGES = 4
MISSES = 2
"""How often in a row the AI may not know before it asks for a person."""
LONGEST_ANSWER = 16_000
"""In characters; an engine that does not stop is stopped."""
_FLUSH_SECONDS = 0.04
_RENEW_SECONDS = 5.0
_ELSEWHERE_SECONDS = 0.25
_PATIENCE_SECONDS = 60.0


@dataclass(slots=True)
class Answer:
    """An answer under way: what has been said of it so far, and whoever listens."""

    chunks: list[str] = field(default_factory=list)
    message: Message | None = None
    done: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, text: str) -> None:
        self.chunks.append(text)
        self._wake()

    def end(self, message: Message | None) -> None:
        self.message, self.done = message, True
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def listen(self) -> AsyncIterator[str]:
        """Every chunk from the first on, as they come."""
        heard = 0
        while True:
            news = self._news
            while heard < len(self.chunks):
                heard += 1
                yield self.chunks[heard - 1]
            if self.done:
                return
            await news.wait()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a visitor's message was met in the end: by whom the conversation is answered now, and what the AI said."""

    conversation: Conversation
    message: Message | None


@dataclass(frozen=True, slots=True)
class Said:
    """What the AI said, and how it ended: knew, did_not_know, failed, asked (for a person), fenced (taken over)."""

    content: str
    outcome: str
    tokens: int = 0


@dataclass(slots=True)
class Turn:
    """Whose turn it is to answer in a conversation, and how many want to or do."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


@dataclass(slots=True)
class Answers:
    conversations: ConversationStore
    messages: MessageStore
    sites: Sites
    knowledge: Knowledge
    engines: Engines
    spending: Spending
    whereabouts: Whereabouts
    clock: Clock
    next_message_id: NextId
    tasks: TaskGroup
    _under_way: dict[tuple[int, int], Answer] = field(default_factory=dict)
    _turns: dict[int, Turn] = field(default_factory=dict)

    def begin(self, received: Received) -> Answer | None:
        """The answer to a message just received, begun or joined; None where the AI does not answer it here."""
        conversation, message = received.conversation, received.message
        if message is None:
            return None
        known = self._under_way.get((conversation.id, message.seq))
        if known is not None or received.again:
            return known
        if conversation.mode != "ai" or conversation.answer_due is None:
            return None
        return self._start(conversation, message.seq)

    async def follow(self, received: Received, answer: Answer | None) -> AsyncIterator[str | Outcome]:
        """Chunks as they come, then the outcome. Without an answer here, one that another replica gives is awaited."""
        conversation, message = received.conversation, received.message
        if answer is not None:
            async for chunk in answer.listen():
                yield chunk
        elif not received.again:
            # Who answers in it is what the message was written with, a moment ago.
            yield Outcome(conversation, None)
            return
        elif message is not None:
            said = await self._given_elsewhere(conversation, message.seq)
            if said is not None:
                yield said.content
                yield Outcome(await self._now(conversation), said)
                return
        yield Outcome(await self._now(conversation), answer.message if answer else None)

    async def take_over_lapsed(self) -> int:
        """Begin answers whose replica has died. Returns how many."""
        lapsed = await self.conversations.unanswered(self.clock(), 50)
        begun = 0
        for conversation in lapsed:
            change = await self.conversations.change(
                conversation.tenant_id, conversation.id, partial(transitions.renew_claim, at=self.clock())
            )
            if change is not None and change.conversation.answer_due is not None:
                self._start(change.conversation, change.conversation.answer_due.seq)
                begun += 1
        return begun

    def _start(self, conversation: Conversation, seq: int) -> Answer:
        answer = self._under_way[(conversation.id, seq)] = Answer()
        self.tasks.spawn(self._give(conversation, seq, answer), f"answer:{conversation.id}:{seq}")
        return answer

    async def _give(self, conversation: Conversation, seq: int, answer: Answer) -> None:
        key = (conversation.id, seq)
        renewing = asyncio.create_task(self._renew(conversation.id, seq))
        message = None
        turn = self._turns.setdefault(conversation.id, Turn())
        turn.wanted += 1
        try:
            # One answer at a time in a conversation: the second is told what the first said.
            async with turn.lock:
                message = await self._think(conversation, seq, answer)
        finally:
            answer.end(message)
            self._under_way.pop(key, None)
            turn.wanted -= 1
            # Not before nobody waits for it: whoever came then would find another lock.
            if not turn.wanted:
                del self._turns[conversation.id]
            await cancel_and_wait(renewing)

    async def _think(self, conversation: Conversation, seq: int, answer: Answer) -> Message | None:
        site = await self.sites.get(conversation.tenant_id, conversation.site_id)
        recent = await self.messages.of_conversation(conversation, limit=RECENT_MESSAGES)
        question = next((said.content for said in recent if said.seq == seq), "")
        phrases = phrases_for(conversation.visitor.language or site.language)
        reachable = conversation.visitor.blocked not in ("operator", "both")
        if reachable and asks_for_a_person(question):
            return await self._hand_over(conversation, seq, answer, Said("", "asked"), phrases, site)
        said = await self._ask_engine(conversation, site, question, said_before(seq, recent), phrases, answer)
        metrics.ANSWERS.labels(said.outcome).inc()
        if said.outcome == "fenced":
            return None
        gives_up = said.outcome == "failed" or (said.outcome == "did_not_know" and conversation.misses + 1 >= MISSES)
        if reachable and gives_up:
            return await self._hand_over(conversation, seq, answer, said, phrases, site)
        return await self._keep(conversation, seq, answer, said)

    async def _ask_engine(
        self,
        conversation: Conversation,
        site: SiteSettings,
        question: str,
        before: Sequence[Message],
        phrases: Phrases,
        answer: Answer,
    ) -> Said:
        """What the site's engine says, passed on as it says it."""
        passages = await self.knowledge.search(site.id, question, PASSAGES) if question.strip() else ()
        language = conversation.visitor.language
        prompt = Prompt(site, question, language, before, passages, phrases.does_not_know)
        verdict = Verdict()
        name, engine = await self._engine(site)
        try:
            with tracing.span(f"answer by {name}", Kind.CLIENT) as span:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    fenced = await self._speak(engine, prompt, verdict, conversation, answer)
                span.note("gen_ai.usage.total_tokens", verdict.tokens)
        except Exception as exc:
            log.warning("answer_failed", engine=name, error=repr(exc)[:300])
            if not await self._may_speak(conversation):
                return Said("", "fenced", verdict.tokens)
            answer.say(phrases.failed if not answer.chunks else f" … {phrases.failed}")
            return Said("".join(answer.chunks), "failed", verdict.tokens)
        finally:
            await self.spending.spend(site.id, verdict.tokens)
        outcome = "fenced" if fenced else "knew" if verdict.knew else "did_not_know"
        return Said("".join(answer.chunks), outcome, verdict.tokens)

    async def _engine(self, site: SiteSettings) -> tuple[str, Engine]:
        """The site's engine by name; the one that costs nothing where the day's tokens are spent."""
        if await self.spending.left(site.id, site.ai.daily_tokens):
            return self.engines.of(site)
        return "builtin", self.engines.builtin

    async def _hand_over(
        self,
        conversation: Conversation,
        seq: int,
        answer: Answer,
        said: Said,
        phrases: Phrases,
        site: SiteSettings,
    ) -> Message | None:
        """Ask for a person, and tell the visitor so; where nobody is there, ask for an address to write back to."""
        nobody = await absence(site, conversation.visitor.language, self.whereabouts, self.clock())
        notice = nobody or phrases.handed_over
        if not await self._may_speak(conversation):
            return None
        answer.say(f"{' ' if answer.chunks else ''}{notice}")
        reason = {"asked": "asked", "failed": "ai_failed"}.get(said.outcome, "ai_does_not_know")
        whole = Said("".join(answer.chunks), said.outcome, said.tokens)
        return await self._keep(conversation, seq, answer, whole, hand_over=reason)

    async def _speak(
        self, engine: Engine, prompt: Prompt, verdict: Verdict, conversation: Conversation, answer: Answer
    ) -> bool:
        """Pass the engine's words on, small ones together. True when somebody took the conversation over meanwhile.

        The generation is asked for before every piece that goes out, not only at the end.
        """
        loop = asyncio.get_running_loop()
        waiting: list[str] = []
        length, flushed = 0, 0.0

        async def flush() -> bool:
            if not waiting:
                return False
            if not await self._may_speak(conversation):
                return True
            answer.say("".join(waiting))
            waiting.clear()
            return False

        # Closed at once where it is left early: what it holds (a connection, a client) is let go of here and now.
        async with aclosing(engine.answer(prompt, verdict)) as pieces:
            async for piece in pieces:
                waiting.append(piece)
                length += len(piece)
                if loop.time() - flushed >= _FLUSH_SECONDS:
                    flushed = loop.time()
                    if await flush():
                        return True
                if length >= LONGEST_ANSWER:
                    break
        return await flush()

    async def _may_speak(self, conversation: Conversation) -> bool:
        """Whether nobody has taken the conversation over since this answer began."""
        return await self.conversations.generation(conversation.id) == conversation.generation

    async def _keep(
        self, conversation: Conversation, seq: int, answer: Answer, said: Said, *, hand_over: str | None = None
    ) -> Message | None:
        """Write the answer down, if the AI may still speak; where it gives up, a person is awaited with it."""
        known_as = f"ai:{seq}:{conversation.generation}"
        at = self.clock()
        content = said.content or "…"
        draft = Draft(await self.next_message_id(), "ai", content, message_id=known_as, reply_to=seq)

        def say(now: Conversation) -> Change | None:
            if now.seq_of(known_as) is not None:
                return None
            knew, tokens = said.outcome != "did_not_know", said.tokens
            change = transitions.ai_says(now, draft, conversation.generation, at, knew=knew, tokens=tokens)
            if change is None or hand_over is None:
                return change
            handed = transitions.hand_off(change.conversation, hand_over, at)
            return Change(handed.conversation, change.events + handed.events, change.messages)

        change = await self.conversations.change(conversation.tenant_id, conversation.id, say)
        return change.messages[0] if change else None

    async def _renew(self, conversation_id: int, seq: int) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            try:
                await self.conversations.extend_claim(conversation_id, seq, self.clock() + transitions.LEASE)
            except Exception as exc:
                # The next may come in time; if not, somebody else answers and this answer is fenced off.
                log.warning("claim_not_renewed", conversation_id=conversation_id, error=repr(exc)[:300])

    async def _given_elsewhere(self, conversation: Conversation, seq: int) -> Message | None:
        """An answer that was given already, or is being given by another replica: awaited, for a while."""
        deadline = self.clock() + timedelta(seconds=_PATIENCE_SECONDS)
        while True:
            said = await self.messages.answer_to(conversation, seq)
            if said is not None:
                return said
            now = await self._now(conversation)
            if now.answer_due is None or now.answer_due.seq < seq or self.clock() > deadline:
                return await self.messages.answer_to(now, seq)
            await asyncio.sleep(_ELSEWHERE_SECONDS)

    async def _now(self, conversation: Conversation) -> Conversation:
        return await self.conversations.find(conversation.tenant_id, conversation.id) or conversation
