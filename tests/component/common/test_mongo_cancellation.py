"""Cancelled database calls do not block those that come after them."""

from __future__ import annotations

import asyncio

import pytest

from parley.common.mongodb.client import create_client

_CALLS = 400
_ROUNDS = 10


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # sockets of cancelled connects
async def test_calls_that_are_cancelled_twice_leave_the_connection_pool_usable(mongodb_uri: str) -> None:
    client = create_client(mongodb_uri, "cancelled")
    collection = client["cancelled"]["things"]
    loop = asyncio.get_running_loop()
    for number in range(_ROUNDS):
        calls = [asyncio.create_task(collection.find_one({"_id": key})) for key in range(_CALLS)]
        for step in range(8):
            await asyncio.sleep(0.002 * number)
            for call in calls[step::8]:
                call.cancel()
                loop.call_soon(call.cancel)
        _, hanging = await asyncio.wait(calls, timeout=10)
        assert not hanging
        _, hanging = await asyncio.wait([asyncio.create_task(collection.find_one({}))], timeout=10)
        assert not hanging, "the pool's lock is held by nobody who will release it"
    await client.close()
