"""Messages and private notes: sending, receiving, deduplication, storage, and translation before sending."""
