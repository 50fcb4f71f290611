"""Forwarding of requests to the service that owns the route, and of responses to the client."""
