"""Prometheus metrics of translate. Labels are engines and outcomes: never ids, language pairs or texts."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)

ENGINE_CALLS = Counter("parley_translate_engine_calls_total", "Engine calls, by outcome.", ["engine", "outcome"])
ENGINE_SECONDS = Histogram(
    "parley_translate_engine_seconds", "Duration of engine calls, in seconds.", ["engine"], buckets=_BUCKETS
)
CHARACTERS = Counter("parley_translate_characters_total", "Characters translated by an engine.", ["engine"])
BREAKER = Gauge("parley_translate_breaker", "Circuit breaker state: 0 closed, 1 half open, 2 open.", ["engine"])
CACHE = Counter("parley_translate_cache_total", "Segments looked up, by where they were found.", ["found"])
TRANSLATIONS = Counter("parley_translate_translations_total", "Texts translated, by status.", ["status"])
QUOTA_EXCEEDED = Counter(
    "parley_translate_over_budget_total", "Engine calls refused because the site's daily quota was used up."
)
DETECTIONS = Counter("parley_translate_detections_total", "Languages detected from visitors' messages.")
