"""The metrics of the gateway besides those of every service."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

UPSTREAM_SECONDS = Histogram(
    "parley_gateway_upstream_seconds",
    "Seconds from the request to a service until the head of its response.",
    ["service"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0),
)
UPSTREAM_FAILURES = Counter(
    "parley_gateway_upstream_failures_total",
    "Requests to a service that failed: unreachable, broken or late.",
    ["service", "kind"],
)
LOOKUP_FAILURES = Counter(
    "parley_gateway_lookup_failures_total",
    "Failed lookups of a service's host; the replicas known before stay.",
    ["service"],
)
REPLICAS = Gauge("parley_gateway_replicas", "Replicas of a service that its hosts name.", ["service"])
REPLICA_REQUESTS = Counter(
    "parley_gateway_replica_requests_total", "Requests and streams sent to a replica.", ["service", "replica"]
)
REPLICA_IN_FLIGHT = Gauge(
    "parley_gateway_replica_in_flight", "Requests in flight and open streams of a replica.", ["service", "replica"]
)
RATE_LIMITED = Counter("parley_gateway_rate_limited_total", "Requests rejected by a limit.", ["scope", "rate"])
USAGES_REPORTED = Counter(
    "parley_gateway_usages_heard_total", "Parts of rate limits that other gateways reported as used."
)
CREDENTIALS_REJECTED = Counter("parley_gateway_credentials_refused_total", "Rejected credentials.", ["reason"])
SLOW_CLIENTS = Counter("parley_gateway_slow_clients_total", "Clients disconnected because they did not read.")
UNTRUSTED_PROXY_REQUESTS = Counter(
    "parley_gateway_unnamed_proxy_requests_total",
    "Requests with X-Forwarded-For from a peer that is not in PARLEY_TRUSTED_PROXIES, by the peer's network.",
    ["network"],
)
OPEN_STREAMS = Gauge("parley_gateway_streams", "Event streams open through this replica.")
CACHE_LOOKUPS = Counter("parley_gateway_lookups_total", "Cache lookups, by cache and hit or miss.", ["name", "outcome"])
