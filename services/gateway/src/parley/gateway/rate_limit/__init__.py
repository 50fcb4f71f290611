"""Limits on the rate of requests and on the number of open event streams."""
