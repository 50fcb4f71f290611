"""Authentication of operators and visitors, and the login endpoints."""
