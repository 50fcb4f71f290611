"""Mails of transcripts: sent once by several replicas, tried again for hours, and not after an erasure."""

from __future__ import annotations

import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from parley.common.events.conversations import VisitorErased
from parley.common.events.transcripts import TranscriptRequested
from parley.common.messaging import BrokerConnection
from parley.common.runtime.clock import utc_now
from support.infrastructure import Infrastructure
from support.mail_server import HOLD, MailServer, ReceivedMail
from support.notify import FakeTeam, Scenario, StartReplica, connect_as_chat
from support.wait import wait_until

RequestMail = Callable[[], Awaitable[tuple[str, str]]]


@pytest.fixture(scope="session")
async def amqp_url(infrastructure: Infrastructure, run_directory: Path) -> AsyncIterator[str]:
    """A broker for this file alone: the folder's shared replica would store requests in its own database."""
    async with infrastructure.broker(run_directory / "notify-mails") as url:
        yield url


@pytest.fixture(scope="session")
async def broker(amqp_url: str, team: FakeTeam) -> AsyncIterator[BrokerConnection]:
    async with connect_as_chat(amqp_url, team) as connection:
        yield connection


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server


@pytest.fixture
async def mails(mongodb_uri: str, database_prefix: str) -> AsyncIterator[Any]:
    """Notify's collection of deliveries."""
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        yield client[f"{database_prefix}_notify"]["mails"]


@pytest.fixture
def request_mail(scenario: Scenario, team: FakeTeam) -> RequestMail:
    """Requests a mail as chat does, with the event delivered twice. Returns the request's id and the address."""

    async def request() -> tuple[str, str]:
        request_id = secrets.token_hex(16)
        address = f"jane-{request_id[:8]}@example.com"
        team.mails[request_id] = {
            "to": address,
            "subject": "Your chat",
            "text": "Hello",
            "html": "<p>Hello</p>",
            "language": "en",
        }
        event = await scenario.publish(TranscriptRequested(request_id=request_id))
        await scenario.republish(event)
        return request_id, address

    return request


async def _wait_for_mail(server: MailServer, address: str, count: int = 1) -> list[ReceivedMail]:
    received: list[ReceivedMail] = await wait_until(
        lambda: len(server.to(address)) >= count and server.to(address), description=f"a mail to {address}"
    )
    return received


async def _wait_for(mails: Any, request_id: str, **fields: Any) -> None:
    async def matches() -> bool:
        return bool(await mails.count_documents({"_id": request_id, **fields}) == 1)

    await wait_until(matches, timeout=30, description=f"the mail {fields}")


async def _make_due(mails: Any, request_id: str) -> None:
    """Let the time of its next try, or the end of a dead sender's lease, have come."""
    await mails.update_one({"_id": request_id}, {"$set": {"due": utc_now()}})


async def test_replicas_send_each_mail_once_and_a_server_that_fails_only_costs_time(
    start_replica: StartReplica, server: MailServer, mails: Any, request_mail: RequestMail
) -> None:
    replicas = [await start_replica(**server.settings) for _ in range(2)]
    requested = [await request_mail() for _ in range(12)]
    greylisted, address = await request_mail()
    server.rcpt_replies[address].extend(["450 4.2.0 Greylisted", "421 4.3.2 Busy"])
    unknown, nobody = await request_mail()
    server.rcpt_replies[nobody].append("550 5.1.1 Unknown")
    for request_id, _ in requested:
        await _wait_for(mails, request_id, outcome="sent")
    assert [len(server.to(recipient)) for _, recipient in requested] == [1] * 12
    for attempts in (1, 2):
        await _wait_for(mails, greylisted, attempts=attempts, claim={"$exists": False})
        await _make_due(mails, greylisted)
    await _wait_for(mails, greylisted, outcome="sent")
    assert len(server.to(address)) == 1
    await _wait_for(mails, unknown, outcome="refused")
    assert server.to(nobody) == []

    async def counted(outcome: str) -> float:
        return sum([await one.metric(f'parley_notify_mails_total{{outcome="{outcome}"}}') for one in replicas])

    outcomes = {name: await counted(name) for name in ("sent", "later", "refused")}
    assert outcomes == {"sent": 13, "later": 2, "refused": 1}
    logs = "".join(one.log_file.read_text() for one in replicas)
    assert "5.1.1 Unknown" in logs
    assert "@example.com" not in logs, "logs name no address"


async def test_a_killed_sender_loses_no_mail(
    start_replica: StartReplica, server: MailServer, mails: Any, request_mail: RequestMail
) -> None:
    replica = await start_replica(**server.settings)
    request_id, address = await request_mail()
    server.data_replies[address].append(HOLD)
    await wait_until(server.held.is_set, description="the mail is being sent")
    await replica.stop(signal.SIGKILL)
    await start_replica(**server.settings)
    await _make_due(mails, request_id)
    (mail,) = await _wait_for_mail(server, address)
    assert mail.message["Message-ID"] == f"<{request_id}@parley.test>"


async def test_nothing_is_sent_after_an_erasure_nor_after_a_day(
    start_replica: StartReplica,
    server: MailServer,
    mails: Any,
    request_mail: RequestMail,
    scenario: Scenario,
    team: FakeTeam,
) -> None:
    """A25: what waits when its visitor is erased is not sent, nor what has waited for a day."""
    # The mail server is away: nobody listens at its port.
    async with MailServer() as away:
        settings = away.settings
    await start_replica(**settings)
    erased, address = await request_mail()
    await _wait_for(mails, erased, attempts=1)
    await scenario.publish(VisitorErased(session_id=scenario.session, conversation_ids=(scenario.conversation_id,)))

    async def is_deleted() -> bool:
        return bool(await mails.count_documents({}) == 0)

    await wait_until(is_deleted, description="the delivery is erased")
    gone, _ = await request_mail()
    await _wait_for(mails, gone, attempts=1)
    del team.mails[gone]
    await _make_due(mails, gone)
    await _wait_for(mails, gone, outcome="gone")
    old, _ = await request_mail()
    await _wait_for(mails, old, attempts=1, claim={"$exists": False})
    day_ago = utc_now() - timedelta(days=1)
    await mails.update_one({"_id": old}, {"$set": {"requested_at": day_ago, "due": day_ago}})
    await _wait_for(mails, old, outcome="gave_up")
    assert server.to(address) == []
