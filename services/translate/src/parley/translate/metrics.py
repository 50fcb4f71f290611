"""What the service counts. Labels are engines and outcomes, never an id, never a language pair, never a text."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)

ENGINE_CALLS = Counter(
    "parley_translate_engine_calls_total", "Calls of an engine, by how they ended.", ["engine", "outcome"]
)
ENGINE_SECONDS = Histogram("parley_translate_engine_seconds", "Seconds a call took.", ["engine"], buckets=_SECONDS)
CHARACTERS = Counter("parley_translate_characters_total", "Characters an engine translated.", ["engine"])
BREAKER = Gauge("parley_translate_breaker", "0 closed, 1 on trial, 2 open.", ["engine"])
CACHE = Counter("parley_translate_cache_total", "Lines looked up, by where they were found.", ["found"])
TRANSLATIONS = Counter("parley_translate_translations_total", "Texts translated or not, by status.", ["status"])
OVER_BUDGET = Counter(
    "parley_translate_over_budget_total", "Calls refused since a site had spent its day's characters."
)
DETECTIONS = Counter("parley_translate_detections_total", "Languages found from what visitors wrote.")
