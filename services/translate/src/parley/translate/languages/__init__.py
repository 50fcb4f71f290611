"""Language tags and language detection."""
