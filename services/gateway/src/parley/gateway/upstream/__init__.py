"""HTTP towards the services: connections, replicas, and the gateway's own calls of their internal API."""
