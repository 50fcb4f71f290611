"""Accounts of operators and their tenants: profile, password, access to sites, login throttling."""
