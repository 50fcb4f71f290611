"""API keys of operators: creation, listing, revocation, and the access they grant."""
