"""From a checked request to one call of the domain, and back."""
