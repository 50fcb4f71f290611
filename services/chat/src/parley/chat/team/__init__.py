"""The team of a tenant: its members, the sites they work on, and their permissions there."""
