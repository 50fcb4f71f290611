"""Stream tickets: one-time credentials that open a stream where a token would stand in the URL."""
