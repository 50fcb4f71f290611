"""Export and erasure of a visitor's personal data (GDPR, articles 15 and 17), in chat and in the other services."""
