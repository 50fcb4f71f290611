"""RPC clients for facts that other services own."""
