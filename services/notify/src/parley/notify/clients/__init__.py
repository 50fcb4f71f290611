"""Clients of other systems: Firebase Cloud Messaging, and chat over RPC."""
