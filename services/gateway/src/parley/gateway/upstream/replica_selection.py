"""Which replica of a service gets a request.

- A request that belongs to a partition goes to the replica of that partition. Every gateway computes the same table
  from the same addresses, without talking to the others: rendezvous hashing, with as many partitions for each replica.
- A stream with a key goes to the replica that rendezvous hashing names for the key, with bounded loads (Mirrokni,
  Thorup, Zadimoghaddam: consistent hashing with bounded loads): what is over a quarter more than the mean spills over
  to the next one.
- Everything else goes to the replica with the fewest requests in flight.

The first replica is the preferred one; the others follow in the order in which they are tried when it cannot be
reached. Replicas that could not be reached lately come last.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from parley.common.conversation_partitions import CONVERSATION_PARTITIONS

_LOAD_BOUND = 1.25
_MIN_LOAD_BOUND = 100
"""Streams that a replica takes in any case: fewer cost less than following one more partition of the event log."""


class Candidate(Protocol):
    """What the choice of a replica depends on."""

    @property
    def address(self) -> str: ...
    @property
    def reachable(self) -> bool: ...
    @property
    def requests(self) -> int: ...
    @property
    def streams(self) -> int: ...


ReplicaT = TypeVar("ReplicaT", bound=Candidate)


class Placement(NamedTuple):
    """What a request belongs to: a partition, or the key of a stream; neither for what any replica may do."""

    partition: int | None = None
    stream_key: str | None = None


ANYWHERE = Placement()


class ReplicaSelector(Generic[ReplicaT]):
    """Orders the replicas of one service for each request."""

    def __init__(self) -> None:
        self._replicas: tuple[ReplicaT, ...] = ()
        self._by_partition: list[tuple[ReplicaT, ...]] = []
        self._turn = 0

    def update(self, replicas: Sequence[ReplicaT]) -> None:
        """Select among these from now on."""
        self._replicas = tuple(replicas)
        self._by_partition = assign_partitions(self._replicas)

    def order(self, placement: Placement) -> Sequence[ReplicaT]:
        """Return all replicas, the preferred one first."""
        if len(self._replicas) < 2:
            return self._replicas
        if placement.partition is not None:
            return _reachable_first(self._by_partition[placement.partition])
        if placement.stream_key is not None:
            return self._order_for_stream(placement.stream_key)
        # Those with equal load take turns.
        self._turn = (self._turn + 1) % len(self._replicas)
        rotated = self._replicas[self._turn :] + self._replicas[: self._turn]
        return sorted(rotated, key=lambda replica: (not replica.reachable, replica.requests))

    def _order_for_stream(self, key: str) -> Sequence[ReplicaT]:
        reachable = [replica for replica in self._replicas if replica.reachable] or self._replicas
        total = 1 + sum(replica.streams for replica in reachable)
        bound = max(_MIN_LOAD_BOUND, math.ceil(_LOAD_BOUND * total / len(reachable)))
        ordered = rendezvous_order(key, self._replicas)
        return sorted(ordered, key=lambda replica: (not replica.reachable, replica.streams >= bound))


def rendezvous_order(key: str, replicas: Sequence[ReplicaT]) -> list[ReplicaT]:
    """Return the replicas in the order of a key: when one leaves, the order of the others stays."""
    return sorted(replicas, key=lambda replica: _weight(key, replica), reverse=True)


def assign_partitions(replicas: Sequence[ReplicaT]) -> list[tuple[ReplicaT, ...]]:
    """Return the order of the replicas for each partition.

    The highest weights are served first, up to an equal number of partitions for each replica: hashing alone would
    give one of four replicas half as much again as another.
    """
    capacity = math.ceil(CONVERSATION_PARTITIONS / max(1, len(replicas)))
    weights = sorted(
        (
            (_weight(str(partition), replica), partition, index)
            for partition in range(CONVERSATION_PARTITIONS)
            for index, replica in enumerate(replicas)
        ),
        reverse=True,
    )
    assigned: dict[int, int] = {}
    counts = [0] * len(replicas)
    for _, partition, index in weights:
        if partition not in assigned and counts[index] < capacity:
            assigned[partition] = index
            counts[index] += 1
    orders = []
    for partition in range(CONVERSATION_PARTITIONS):
        ordered = rendezvous_order(str(partition), replicas)
        if partition in assigned:
            preferred = replicas[assigned[partition]]
            ordered.remove(preferred)
            ordered.insert(0, preferred)
        orders.append(tuple(ordered))
    return orders


def _weight(key: str, replica: Candidate) -> bytes:
    return hashlib.blake2b(f"{key}@{replica.address}".encode(), digest_size=8).digest()


def _reachable_first(replicas: tuple[ReplicaT, ...]) -> Sequence[ReplicaT]:
    if replicas[0].reachable:
        return replicas
    return sorted(replicas, key=lambda replica: not replica.reachable)
