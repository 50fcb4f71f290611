"""RPC clients for facts that chat owns."""
