"""Wrong answers of the AI: the cited passages, the right answer, and other conversations with the same answer."""
