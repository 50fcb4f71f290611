"""Reliability tests: the guarantees T1, T2, … (docs/guarantees.md) under faults."""
