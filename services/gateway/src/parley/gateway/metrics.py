"""What the gateway counts besides what every service does."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

UPSTREAM_SECONDS = Histogram(
    "parley_gateway_upstream_seconds",
    "Seconds until a service began to answer.",
    ["service"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0),
)
UPSTREAM_FAILURES = Counter(
    "parley_gateway_upstream_failures_total", "Times a service could not be reached or broke off.", ["service", "kind"]
)
RATE_LIMITED = Counter("parley_gateway_rate_limited_total", "Requests refused by a limit.", ["scope", "rate"])
REFUSED = Counter("parley_gateway_credentials_refused_total", "Credentials that were not accepted.", ["reason"])
STREAMS = Gauge("parley_gateway_streams", "Event streams open through this replica.")
LOOKUPS = Counter("parley_gateway_lookups_total", "Answers of other services, from memory or not.", ["name", "outcome"])
