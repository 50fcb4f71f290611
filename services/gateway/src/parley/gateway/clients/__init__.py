"""The services behind, and the identity provider."""
