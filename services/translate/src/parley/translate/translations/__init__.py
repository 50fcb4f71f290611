"""Translation of one text: placeholders, cache and engine calls."""
