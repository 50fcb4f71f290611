"""Wrong answers of the AI: where they came from, what is right, and who else was told the same."""
