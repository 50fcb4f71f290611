"""Visitors: their heartbeats, the page they are on, and the lists that operators see."""
