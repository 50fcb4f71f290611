"""Which replica plans which partition: the one that reads it anyway, else an even share that moves little."""

from __future__ import annotations

from collections import Counter

import pytest

from parley.notify.push.partition_assignment import assign_partitions


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 16, 20])
def test_every_partition_has_one_replica_and_shares_are_even(count: int) -> None:
    owners = assign_partitions(16, {f"replica {number}": () for number in range(count)})
    assert sorted(owners) == list(range(16))
    assert max(Counter(owners.values()).values()) <= -(-16 // count)


def test_without_a_replica_nobody_plans() -> None:
    assert assign_partitions(4, {}) == {}


def test_a_replica_plans_what_it_reads_for_its_streams() -> None:
    owners = assign_partitions(4, {"a": {0, 1, 2}, "b": {2}, "c": ()})
    assert owners[0] == owners[1] == "a"
    assert owners[2] in {"a", "b"}
    assert owners[3] in {"b", "c"}


def test_the_loss_of_a_replica_moves_few_other_partitions() -> None:
    replicas = {f"replica {number}": () for number in range(4)}
    before = assign_partitions(16, replicas)
    lost = "replica 2"
    after = assign_partitions(16, {name: streams for name, streams in replicas.items() if name != lost})
    moved = [number for number in range(16) if before[number] != lost and before[number] != after[number]]
    assert len(moved) <= 4
