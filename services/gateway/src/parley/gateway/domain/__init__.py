"""What the gateway decides: tokens, access, visitors, limits. No HTTP, no broker."""
