"""Reliability tests: guarantees T1 to T18 (docs/guarantees.md) under faults."""
