"""Saved views: filters of the lists of conversations under a name, of one operator, a site or the whole team."""
