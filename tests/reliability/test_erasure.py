"""Erasure of a visitor's data completes although services are down and chat's replicas are killed meanwhile."""

from __future__ import annotations

import asyncio
import time

from reliability.conftest import ReliabilityCluster, report
from support.personal_data import Databases, create_visitor_with_data
from support.tenants import TenantFixture

OTHER_SERVICES = ("presence", "translate", "notify")


async def test_an_erasure_completes_after_services_and_its_own_replica_were_down(
    cluster: ReliabilityCluster, tenant: TenantFixture
) -> None:
    databases = Databases.of_stack(cluster.stack, cluster.mongo.uri)
    stored = await create_visitor_with_data(tenant)
    await databases.wait_stored_everywhere(stored)
    others = [replica for service in OTHER_SERVICES for replica in cluster.stack.processes(service)]
    await asyncio.gather(*(replica.process.stop() for replica in others))
    subject = {"site_id": tenant.site_id, "session_id": stored.handle}
    started = time.monotonic()
    (await tenant.owner.post("/operator/visitor/erase", subject)).ok()
    chats = cluster.stack.processes("chat")
    await asyncio.gather(*(replica.process.kill() for replica in chats))
    remaining = await databases.collections_containing(stored.canary)
    assert "presence.visitors" in remaining, "presence has not received the erasure yet"
    await asyncio.gather(*(replica.process.start() for replica in (*chats, *others)))
    await cluster.stack.wait_ready()
    await databases.finish_erasures(tenant.site_id)
    await databases.wait_erased(stored.canary)
    report(
        "GDPR", f"erased everywhere {time.monotonic() - started:.0f} s after the request, with services down meanwhile"
    )
