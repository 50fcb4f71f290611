"""What happens around every request: request id, client address, errors, access log, metrics, tracing."""
