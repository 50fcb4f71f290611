"""The caller of a request, visitor sessions, token hashes, and encryption of stored values."""
