"""Which replica plans the pushes of which partition.

Every replica computes this from the same table, so no replica has to lead. Leases keep two replicas whose tables differ
from planning one partition; and if they did, planning an event twice changes nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping


def assign_partitions(partitions: int, replicas: Mapping[str, Collection[int]]) -> dict[int, str]:
    """Return the replica of each partition. `replicas` has the live ones, each with the partitions of its streams.

    A partition goes to a replica that reads it for its streams anyway. The others are spread evenly, by rendezvous
    hashing, so that a replica that comes or goes moves few of them.
    """
    owners: dict[int, str] = {}
    loads: Counter[str] = Counter()
    readers = {
        partition: [replica for replica, streams in replicas.items() if partition in streams]
        for partition in range(partitions)
    }
    max_load = -(-partitions // max(1, len(replicas)))
    # Those that are read anyway first: the remaining ones then even the loads out.
    for partition in sorted(readers, key=lambda partition: (not readers[partition], partition)):
        ranking = sorted(readers[partition] or replicas, key=lambda replica: _score(replica, partition), reverse=True)
        if not ranking:
            continue
        free = [replica for replica in ranking if loads[replica] < max_load]
        owners[partition] = (ranking if readers[partition] else free or ranking)[0]
        loads[owners[partition]] += 1
    return owners


def _score(replica: str, partition: int) -> bytes:
    return hashlib.blake2b(f"{replica}:{partition}".encode(), digest_size=8).digest()
