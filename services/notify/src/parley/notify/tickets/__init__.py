"""Stream tickets: one-time credentials that open a stream, in place of a token in the URL."""
