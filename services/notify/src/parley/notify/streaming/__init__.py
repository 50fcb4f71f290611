"""Event streams (SSE): follow the event log, keep its newest part for resuming clients, write to open connections."""
