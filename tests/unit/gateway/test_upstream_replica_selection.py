"""Which replica gets a request: by partition, by the key of a stream, or by load."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass

import pytest

from parley.common.conversation_partitions import CONVERSATION_PARTITIONS
from parley.gateway.upstream.replica_selection import (
    ANYWHERE,
    Placement,
    ReplicaSelector,
    assign_partitions,
    rendezvous_order,
)


@dataclass
class FakeReplica:
    address: str
    reachable: bool = True
    requests: int = 0
    streams: int = 0


def build_replicas(count: int) -> list[FakeReplica]:
    return [FakeReplica(f"10.0.0.{number}:8080") for number in range(1, count + 1)]


def build_selector(replicas: list[FakeReplica]) -> ReplicaSelector[FakeReplica]:
    selector: ReplicaSelector[FakeReplica] = ReplicaSelector()
    selector.update(replicas)
    return selector


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 64, 100])
def test_each_replica_gets_as_many_partitions(count: int) -> None:
    replicas = build_replicas(count)
    preferred = Counter(order[0].address for order in assign_partitions(replicas))
    assert sum(preferred.values()) == CONVERSATION_PARTITIONS
    assert max(preferred.values()) == -(-CONVERSATION_PARTITIONS // count)


def test_every_gateway_assigns_the_same_partitions() -> None:
    replicas = build_replicas(4)
    orders = [[replica.address for replica in order] for order in assign_partitions(replicas)]
    reversed_orders = [[replica.address for replica in order] for order in assign_partitions(replicas[::-1])]
    assert orders == reversed_orders


def test_a_replica_that_leaves_moves_few_other_partitions() -> None:
    replicas = build_replicas(4)
    before, after = assign_partitions(replicas), assign_partitions(replicas[:3])
    stayed = [old[0] for old, new in zip(before, after, strict=True) if old[0] is not replicas[3] and old[0] is new[0]]
    assert len(stayed) >= 40, "of the 48 partitions of the replicas that stay"


def test_the_next_replicas_of_a_partition_share_what_an_unreachable_one_had() -> None:
    replicas = build_replicas(4)
    selector = build_selector(replicas)
    own = next(
        partition
        for partition in range(CONVERSATION_PARTITIONS)
        if selector.order(Placement(partition))[0] is replicas[0]
    )
    replicas[0].reachable = False
    preferred = Counter(selector.order(Placement(partition))[0].address for partition in range(CONVERSATION_PARTITIONS))
    assert set(preferred) == {replica.address for replica in replicas[1:]}
    assert selector.order(Placement(own))[-1] is replicas[0]


def test_requests_without_a_partition_take_turns_while_the_load_is_equal() -> None:
    selector = build_selector(build_replicas(4))
    counted = Counter(selector.order(ANYWHERE)[0].address for _ in range(40))
    assert set(counted.values()) == {10}


def test_requests_without_a_partition_go_where_fewest_are_in_flight() -> None:
    replicas = build_replicas(3)
    replicas[0].requests, replicas[1].requests, replicas[2].requests = 5, 2, 3
    replicas[1].streams = 1000
    order = build_selector(replicas).order(ANYWHERE)
    assert [replica.requests for replica in order] == [2, 3, 5]


def test_streams_of_a_key_share_a_replica_and_keys_are_spread() -> None:
    replicas = build_replicas(4)
    selector = build_selector(replicas)
    for tenant in range(200):
        first = selector.order(Placement(stream_key=str(tenant)))[0]
        assert first is rendezvous_order(str(tenant), replicas)[0]
    counted = Counter(selector.order(Placement(stream_key=str(tenant)))[0].address for tenant in range(200))
    assert len(counted) == 4


def test_a_large_tenant_spills_over_to_the_next_replicas() -> None:
    replicas = build_replicas(4)
    selector = build_selector(replicas)
    for _ in range(4000):
        selector.order(Placement(stream_key="large"))[0].streams += 1
    loads = [replica.streams for replica in rendezvous_order("large", replicas)]
    assert max(loads) <= 1.26 * statistics.mean(loads)
    assert loads == sorted(loads, reverse=True), "the preferred replicas are filled first"


def test_the_order_of_a_key_stays_when_another_replica_leaves() -> None:
    replicas = build_replicas(5)
    before = rendezvous_order("key", replicas)
    gone = before[2]
    assert rendezvous_order("key", [one for one in replicas if one is not gone]) == [
        one for one in before if one is not gone
    ]
