"""Shared by tests: API clients, event streams, tenants, fake external services, and waiting for conditions."""
