"""Operators: their heartbeats, manual status and online status per site."""
