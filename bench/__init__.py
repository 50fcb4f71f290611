"""Benchmarks: each measures Parley next to a baseline of the same machine, in one run."""
