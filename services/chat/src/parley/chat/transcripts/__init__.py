"""A conversation as its visitor may keep it: as a text file, and by e-mail."""
