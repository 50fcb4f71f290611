"""Translation engines: one class each, one registry, and a chain that falls back from one to the next."""
