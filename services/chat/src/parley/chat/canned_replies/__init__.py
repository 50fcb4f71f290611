"""Canned replies: texts that operators insert by a shortcut; personal, of one site, or of the whole team."""
