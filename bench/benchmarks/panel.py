"""Benchmark `panel`: what an operator does in the panel, in Chromium, with as many open chats as the panel shows."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import CDPSession, Page, async_playwright
from pymongo import AsyncMongoClient

from bench.baselines import Document
from bench.harness import BenchmarkContext, running_stack
from bench.measurement import AlternatingRuns, Benchmark, Metric, Round, Target
from bench.scenario import PASSWORD, Scenario
from bench.seeding import FIRST_ID, SeedTarget, build_conversation
from parley.chat.conversations.mappers import conversation_document
from parley.chat.conversations.model import Conversation
from parley.chat.messages.mappers import message_document
from parley.chat.messages.model import Message
from parley.common.events.schemas import Mode, OperatorRef
from parley_dev.stack import Stack
from parley_dev.web import build_web

_CHATS = 2000
_FEW_CHATS = 20
_REPEATS = 20
_MAX_MILLISECONDS = 100
_WEB = Path(__file__).parents[2] / "web"
_EXECUTABLES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_MODES: tuple[Mode, ...] = ("pending", "ai", "ai", "pending")
_MINE, _ALL = 1, 2
"""Lists by their tab."""

# From the action until the frame in which its result is shown.
_MEASURE = """async ([action, isShown]) => {
  const run = new Function(action), shown = new Function(`return ${isShown}`);
  const start = performance.now();
  run();
  while (!shown()) {
    if (performance.now() - start > 10000) throw new Error(`not shown: ${isShown}`);
    await new Promise(requestAnimationFrame);
  }
  await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
  return performance.now() - start;
}"""
_TYPE = """const field = document.querySelector({field});
field.focus(); document.execCommand('insertText', false, {text});"""
_REPLY, _SEARCH, _LIST, _ROWS = (
    "textarea[aria-label=Reply]",
    "#inbox-search",
    "#inbox-list",
    "#inbox-list .conversation-row",
)


@dataclass(frozen=True, slots=True)
class _Action:
    """What an operator does, as scripts by its number, and how to see that the result is shown."""

    name: str
    script: Callable[[int], str]
    is_shown: Callable[[int], str]


def _type(field: str, text: str) -> str:
    return _TYPE.replace("{field}", json.dumps(field)).replace("{text}", json.dumps(text))


_ACTIONS = (
    _Action(
        "open a chat",
        lambda number: f"location.hash = '#/chats/{FIRST_ID + (number + 1) % _FEW_CHATS}'",
        lambda number: f"document.body.innerText.includes('The first question of {(number + 1) % _FEW_CHATS}.')",
    ),
    _Action(
        "type a letter",
        lambda _: _type(_REPLY, "x"),
        lambda number: f"document.querySelector('{_REPLY}').value.length > {number}",
    ),
    _Action(
        "filter by a text",
        lambda number: f"document.querySelector('{_SEARCH}').value = ''; {_type(_SEARCH, f'visitor {number}')}",
        lambda number: (
            f"""[...document.querySelectorAll('{_ROWS}')].every(
            (row) => row.innerText.includes('Visitor {number}'))"""
        ),
    ),
    _Action(
        "change the list",
        lambda number: f"document.querySelectorAll('[role=tab]')[{(0, _ALL)[number % 2]}].click()",
        lambda number: f"document.querySelectorAll('[role=tab]')[{(0, _ALL)[number % 2]}].ariaSelected === 'true'",
    ),
    _Action(
        "scroll the list",
        lambda number: (
            f"""const list = document.querySelector('{_LIST}');
            list.scrollTop = list.scrollHeight * {number % 10} / 10; window.scrolled = list.scrollTop"""
        ),
        lambda _: (
            f"""document.querySelector('{_ROWS}').getBoundingClientRect().top
            <= document.querySelector('{_LIST}').getBoundingClientRect().top"""
        ),
    ),
)


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Measure each action with few chats, then with many."""
    executable = next(filter(None, map(shutil.which, _EXECUTABLES)), None)
    web = build_web(_WEB, bench.output)
    if executable is None or web is None:
        bench.output("panel: needs Chromium and Node.js")
        return []
    async with (
        running_stack(bench.mongodb_uri, bench.amqp_url, bench.directory / "panel", web=web) as stack,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        scenario = await Scenario.create(stack, bench.mongodb_uri, conversations=1)
        runs: dict[str, AlternatingRuns] = {}
        scripting: dict[str, AlternatingRuns] = {}
        rows = 0
        for chats, side in ((_FEW_CHATS, "baseline"), (bench.size(_CHATS, 4 * _FEW_CHATS), "measured")):
            await _seed(bench, stack, scenario, chats)
            async with _open_panel(await browser.new_page(bypass_csp=True), stack, scenario, chats) as panel:
                for _ in range(bench.rounds(3)):
                    for name, act in panel.actions():
                        shown, main_thread = await panel.repeat(act, bench.size(_REPEATS, 2))
                        getattr(runs.setdefault(name, AlternatingRuns()), side).append(shown)
                        getattr(scripting.setdefault(name, AlternatingRuns()), side).append(main_thread)
                rows = await panel.count_rows()
        await browser.close()
    note = f"{rows} rows are rendered"
    target = Target("p50", "at most", _MAX_MILLISECONDS)
    metrics = [one.latency_metric(f"{name}, {chats} chats, p50", "p50", target) for name, one in runs.items()]
    metrics += [one.metric(f"{name}, {chats} chats, main thread", "ms", note=note) for name, one in scripting.items()]
    return metrics


async def _seed(bench: BenchmarkContext, stack: Stack, scenario: Scenario, chats: int) -> None:
    """Write open conversations, so many in all; those that exist stay."""
    database = f"{stack.environment('chat')['PARLEY_DATABASE_PREFIX']}_chat"
    target = SeedTarget(bench.mongodb_uri, database, scenario.tenant_id, scenario.site_id, scenario.operator_id)
    async with AsyncMongoClient[Document](bench.mongodb_uri) as client:
        first = await client[database]["conversations"].count_documents({"_id": {"$gte": FIRST_ID}})
        conversations = [
            _as_open(build_conversation(target, number), number, scenario.operator_id) for number in range(first, chats)
        ]
        await client[database]["conversations"].insert_many(
            [{"_id": one.id, **conversation_document(one), "outbox": []} for one in conversations]
        )
        messages = [
            Message(
                id=one.id,
                tenant_id=one.tenant_id,
                site_id=one.site_id,
                conversation_id=one.id,
                session=one.visitor.session,
                seq=1,
                role="visitor",
                content=f"The first question of {one.id - FIRST_ID}.",
                created_at=one.created_at,
            )
            for one in conversations
        ]
        await client[database]["messages"].insert_many([message_document(one) for one in messages])


def _as_open(conversation: Conversation, number: int, operator_id: int) -> Conversation:
    """The first ones are the operator's own, so that the reply field is shown."""
    mode = "operator" if number < _FEW_CHATS else _MODES[number % len(_MODES)]
    return replace(
        conversation,
        mode=mode,
        operator=OperatorRef(id=operator_id, name="Alex Archer") if mode == "operator" else None,
        waiting_since=conversation.created_at if mode == "pending" else None,
        last_seq=1,
    )


@dataclass(slots=True)
class _Panel:
    """The panel in a page of Chromium, logged in, with all chats loaded."""

    page: Page
    devtools: CDPSession
    http: aiohttp.ClientSession
    scenario: Scenario
    numbers: count[int]

    def actions(self) -> list[tuple[str, Callable[[int], Awaitable[float]]]]:
        scripted = [(one.name, self._scripted(one)) for one in _ACTIONS]
        return [*scripted, ("an event arrives", self._receive_event)]

    async def repeat(self, act: Callable[[int], Awaitable[float]], times: int) -> tuple[Round, Round]:
        """Do something again and again: seconds until it is shown, and milliseconds of the main thread each time."""
        await self._reset(_MINE if act == self._receive_event else _ALL)
        before = await self._main_thread_seconds()
        latencies = [await act(number) for number in range(times)]
        used = await self._main_thread_seconds() - before
        return Round(sum(latencies), latencies), Round(1000 * used / times)

    async def count_rows(self) -> int:
        """How many rows of the list are rendered."""
        return await self.page.locator(_ROWS).count()

    def _scripted(self, action: _Action) -> Callable[[int], Awaitable[float]]:
        async def act(number: int) -> float:
            milliseconds: float = await self.page.evaluate(_MEASURE, [action.script(number), action.is_shown(number)])
            return milliseconds / 1000

        return act

    async def _receive_event(self, _: int) -> float:
        """From the answer to a visitor's message until the list shows it."""
        text = f"Message number {next(self.numbers)}"
        visitor = {"site_key": self.scenario.site_key, "session_id": self.scenario.assigned[0].session_id}
        async with self.http.post("chat/stream", json={**visitor, "message": text}) as response:
            response.raise_for_status()
            await response.read()
        shown = f"document.querySelector('{_LIST}').innerText.includes('{text}')"
        milliseconds: float = await self.page.evaluate(_MEASURE, ["", shown])
        return milliseconds / 1000

    async def _reset(self, tab: int) -> None:
        """An open chat with an empty reply, and the whole list of a tab from its beginning."""
        await self.page.evaluate(f"location.hash = '#/chats/{FIRST_ID}'")
        await self.page.locator(_REPLY).fill("")
        await self.page.locator(_SEARCH).fill("")
        await self.page.get_by_role("tab").nth(tab).click()
        await self.page.locator(_LIST).evaluate("(list) => { list.scrollTop = 0 }")

    async def _main_thread_seconds(self) -> float:
        metrics: list[dict[str, Any]] = (await self.devtools.send("Performance.getMetrics"))["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


@asynccontextmanager
async def _open_panel(page: Page, stack: Stack, scenario: Scenario, chats: int) -> AsyncIterator[_Panel]:
    """Log in, and wait until the panel has all chats."""
    authorization = {"Authorization": f"Bearer {scenario.operator_token}"}
    async with aiohttp.ClientSession(f"{stack.gateway_url}/api/v1/") as http:
        async with http.get("auth/me", headers=authorization) as response:
            email = (await response.json())["user"]["email"]
        await page.goto(f"{stack.gateway_url}/panel")
        await page.get_by_label("E-mail").fill(email)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        await page.get_by_role("tab").nth(_ALL).click()
        # With the chat of the scenario, which an operator has.
        height = f"document.querySelector('{_LIST}').scrollHeight >= 58 * {chats}"
        await page.wait_for_function(height, timeout=60_000)
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("Performance.enable")
        yield _Panel(page, devtools, http, scenario, count(chats))
    await page.close()


BENCHMARK = Benchmark(
    "panel",
    "an operator's actions in the panel with 2 000 open chats, in Chromium: until the frame that shows the result.",
    "the same with 20 chats, measured earlier in the run.",
    run,
)
