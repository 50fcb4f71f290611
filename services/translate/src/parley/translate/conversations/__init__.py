"""Which tenant, site and visitor a conversation belongs to."""
