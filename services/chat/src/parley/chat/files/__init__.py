"""Files besides images: kept as they are, never decoded, and served so that nothing in them runs."""
