"""Export and erasure of a visitor's personal data."""
