"""What tests share: a client of the API, event streams, tenants, and waiting for things to become true."""
