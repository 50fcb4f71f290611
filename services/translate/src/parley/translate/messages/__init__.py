"""Live translation of messages."""
