"""An erasure while everybody is down, chat's replicas killed in the middle of it: it is done when they are back."""

from __future__ import annotations

import asyncio
import time

from support.personal_data import finished, nowhere, places_of, somebody, spread
from support.tenants import TenantFixture
from support.wait import wait_until

from .conftest import Proof

OTHERS = ("presence", "translate", "notify")


async def test_an_erasure_reaches_services_that_were_down_and_outlives_its_replica(
    proof: Proof, tenant: TenantFixture
) -> None:
    uri, prefix = proof.mongo.uri, proof.stack.environment("chat")["PARLEY_DATABASE_PREFIX"]
    one = await somebody(tenant)
    await spread(one, uri, prefix)
    others = [replica for service in OTHERS for replica in proof.stack.processes(service)]
    await asyncio.gather(*(replica.process.stop() for replica in others))
    named = {"site_id": tenant.site_id, "session_id": one.handle}
    began = time.monotonic()
    (await tenant.owner.post("/operator/visitor/erase", named)).ok()
    chats = proof.stack.processes("chat")
    await asyncio.gather(*(replica.process.kill() for replica in chats))
    left = await places_of(uri, prefix, one.canary)
    assert "presence.visitors" in left, "nobody has told presence yet"
    await asyncio.gather(*(replica.process.start() for replica in (*chats, *others)))
    await proof.stack.wait_ready()
    await finished(uri, prefix)
    await wait_until(lambda: nowhere(uri, prefix, one.canary), timeout=30)
    proof.say(
        "GDPR", f"erased everywhere {time.monotonic() - began:.0f} s after it was asked for, with all others down"
    )
