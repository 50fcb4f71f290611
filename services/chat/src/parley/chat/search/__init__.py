"""Search in everything that was said: messages, notes, and who the visitors are, answered from an index of its own."""
