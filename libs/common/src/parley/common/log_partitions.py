"""The partitions of the event log: which tenant's events are in which of its streams.

All events of a tenant are in one partition, so a stream of an operator, however many sites they have, has one position.
Tenants' ids are given out one after another, so the remainder spreads them evenly, and a person can compute it.
"""

from __future__ import annotations

from typing import Final

DEFAULT_PARTITIONS: Final = 16
MAX_PARTITIONS: Final = 256
LOG_NAME: Final = "parley.log"
SINGLE_LOG: Final = "parley.log"
"""The stream that was the whole log in the version before the partitions."""
_KEY_PREFIX: Final = "log-"
UNPARTITIONED_BINDING_KEYS: Final = ("site.#", "tenant.#", "bundle")
"""What the version before the partitions publishes with. It names no tenant, so every partition receives it, and its
readers leave out the events of other partitions."""


def get_partition(tenant_id: int, partitions: int) -> int:
    """Return the partition that holds a tenant's events. The gateway places a tenant's streams by it."""
    return tenant_id % partitions


def stream_name(partition: int) -> str:
    """Return the name of a partition's stream."""
    return f"{LOG_NAME}.{partition}"


def partitioned_routing_key(routing_key: str, partition: int) -> str:
    """Return the key that an event is published with: its routing key, the first word replaced with its partition.

    No queue of a service is bound by the first word; the streams of the partitions are.
    """
    return f"{_KEY_PREFIX}{partition}.{routing_key.partition('.')[2] or routing_key}"


def binding_keys(partition: int) -> tuple[str, ...]:
    """Return the keys by which a partition's stream is bound to the exchange of events."""
    return (f"{_KEY_PREFIX}{partition}.#", *UNPARTITIONED_BINDING_KEYS)
