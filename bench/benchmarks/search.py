"""Benchmark `search`: search in all messages, how soon a message is found, and lists of as many conversations."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace

from bench.benchmarks.lists import ListQuery, find, request
from bench.driver import Connection, get, post
from bench.harness import BenchmarkContext
from bench.measurement import Benchmark, Metric, Round, Target, alternate, build_metric, percentile
from bench.searchable_seeding import FREQUENT_PAIR, MESSAGES_PER_CONVERSATION, PHRASE, seed_searchable, word
from bench.seeding import FIRST_ID, SeedTarget

_MESSAGES = 1_000_000
_QUICK_MESSAGES = 40_000
_SENT = 20
_FOUND_TIMEOUT_SECONDS = 20.0


async def run(bench: BenchmarkContext) -> Sequence[Metric]:
    """Seed and index the messages, then measure searches, lists, and the time until a message is found."""
    scenario = bench.scenario
    target = SeedTarget(
        bench.mongodb_uri, bench.database("chat"), scenario.tenant_id, scenario.site_id, scenario.operator_id
    )
    count = bench.size(_MESSAGES, _QUICK_MESSAGES)
    started = time.monotonic()
    seeded = await bench.run_in_subprocess(seed_searchable, target, count)
    bench.output(
        f"search: seeded and indexed {count} messages in {time.monotonic() - started:.0f} s, "
        f"{seeded.result:.1%} of them in segments"
    )
    metrics: list[Metric] = []
    for query in [*_searches(bench, count), *_lists(bench)]:
        await request(bench, query, bench.seconds(1))
        result = await alternate(
            bench.rounds(),
            lambda query=query: find(bench, query),  # type: ignore[misc]
            lambda query=query: request(bench, query, bench.seconds(2)),  # type: ignore[misc]
        )
        targets = (Target("p50", "at most", 60),) if query.name.startswith("search") else ()
        metric = result.latency_metric(f"{query.name}, {count} messages, p50", "p50", *targets)
        p95 = percentile([latency for one in result.measured for latency in one.latencies], 0.95)
        metrics.append(replace(metric, note=f"p95 {1000 * p95:.1f} ms"))
    metrics.append(await _time_until_found(bench))
    return metrics


def _searches(bench: BenchmarkContext, count: int) -> list[ListQuery]:
    token = bench.scenario.operator_token
    first, last = FIRST_ID, FIRST_ID + count // MESSAGES_PER_CONVERSATION
    conversations = tuple({"conversation_id": number} for number in range(first, last, max(1, (last - first) // 50)))

    def search(name: str, *texts: str) -> ListQuery:
        requests = tuple(get(f"/api/v1/operator/search?q={text.replace(' ', '%20')}", token) for text in texts)
        return ListQuery(f"search, {name}", requests, "messages", conversations, (("seq", -1),))

    return [
        search("a frequent word", *(word(rank) for rank in range(5))),
        search("a rare word", *(word(rank) for rank in range(20_000, 20_050))),
        search("two frequent words that are together in few", " ".join(FREQUENT_PAIR), " ".join(FREQUENT_PAIR[::-1])),
        search("three words", *(f"{word(rank)} {word(rank + 40)} {word(rank + 300)}" for rank in range(20))),
        search("the beginning of a word", *(word(rank)[:4] for rank in range(200, 220))),
        search("a phrase", f"%22{PHRASE}%22"),
        search("a visitor", *(f"visitor%20{number}" for number in range(1000, 1050))),
    ]


def _lists(bench: BenchmarkContext) -> list[ListQuery]:
    scenario = bench.scenario
    token, site = scenario.owner_token, f"/api/v1/sites/{scenario.site_id}/conversations"
    in_site = {"tenant_id": scenario.tenant_id, "site_id": scenario.site_id}
    newest = (("created_at", -1), ("_id", -1))
    queue = {**in_site, "mode": {"$in": ["pending", "operator"]}}
    return [
        ListQuery(
            "queue",
            (get(f"/api/v1/operator/active-chats?site_id={scenario.site_id}", token),),
            "conversations",
            (queue,),
            (("queue_at", 1), ("_id", 1)),
        ),
        ListQuery("archive", (get(site, token),), "conversations", (in_site,), newest),
        ListQuery(
            "archive, closed ones",
            (get(f"{site}?status=closed", token),),
            "conversations",
            ({**in_site, "mode": "closed"},),
            newest,
        ),
        ListQuery(
            "archive of an operator",
            (get(f"{site}?operator_id={scenario.operator_id}", token),),
            "conversations",
            ({**in_site, "handled_by": scenario.operator_id},),
            newest,
        ),
    ]


async def _time_until_found(bench: BenchmarkContext) -> Metric:
    """Send messages one after the other, and search for each until it is found."""
    scenario = bench.scenario
    connection = await Connection.open(scenario.host, scenario.port)
    seconds = []
    try:
        for _ in range(bench.size(_SENT, 3)):
            text, one = f"w{secrets.token_hex(8)}", scenario.assigned[0]
            body = json.dumps({"conversation_id": one.conversation_id, "content": f"Found by {text}"}).encode()
            started = time.perf_counter()
            sent = await connection.request(post("/api/v1/operator/message", body, one.token))
            if sent.status >= 300:
                raise RuntimeError(f"a message was rejected: {sent.status}")
            searched = get(f"/api/v1/operator/search?q={text}", one.token)
            async with asyncio.timeout(_FOUND_TIMEOUT_SECONDS):
                while not json.loads((await connection.request(searched)).body)["hits"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            seconds.append(time.perf_counter() - started)
    finally:
        connection.close()
    return build_metric(
        "from sending to being found, p50",
        "ms",
        [Round(1000 * percentile(seconds, 0.5), seconds)],
        (),
        Target("p99", "at most", 2000),
        note=f"p95 {1000 * percentile(seconds, 0.95):.0f} ms; the outbox inserts 100 ms after the commit",
    )


BENCHMARK = Benchmark(
    "search",
    "searches in a million messages, how soon a message is found, and lists of their conversations.",
    "a find of one conversation's newest messages (searches), or of the same list, with the database driver.",
    run,
)
