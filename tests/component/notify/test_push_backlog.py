"""What autoscaling looks at: pushes that are due or in hand, and not those that wait for their time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from parley.common.mongodb import Mongo
from parley.common.observability.logging import current_trace
from parley.common.runtime.clock import utc_now
from parley.notify.mongo_schema import SCHEMA
from parley.notify.push.delivery_repository import MongoDeliveryRepository
from parley.notify.push.model import PushBacklog
from parley.notify.push.triggers import PushTrigger


@pytest.fixture
async def mongo(mongodb_uri: str, database_prefix: str) -> AsyncIterator[Mongo]:
    mongo = Mongo(mongodb_uri, f"{database_prefix}_notify", SCHEMA)
    await mongo.ensure_schema_ready()
    yield mongo
    await mongo.client.drop_database(f"{database_prefix}_notify")
    await mongo.stop()


async def test_the_backlog_counts_deliveries_that_are_due_or_in_hand(mongo: Mongo) -> None:
    repository, now = MongoDeliveryRepository(mongo, utc_now), utc_now()
    for number, seconds in enumerate((-40, -30, -20, 5)):
        trigger = PushTrigger(
            position=number,
            event_id=f"e{number}",
            kind="message",
            tenant_id=1,
            site_id=1,
            conversation_id=number,
            operator_id=7,
            seq=1,
            visitor_name="Jane",
            text="Hello",
            occurred_at=now,
            trace=current_trace(),
        )
        await repository.add(trigger, 7, now + timedelta(seconds=seconds))
    assert await repository.claim_due(now) is not None
    backlog = await repository.measure_backlog(now)
    assert (backlog.deliveries, round(backlog.lag_seconds)) == (3, 30)
    while await repository.claim_due(now) is not None:
        pass
    assert await repository.measure_backlog(now) == PushBacklog(3, 0.0)
