"""Bulk actions: one thing done to many conversations at once, which can be undone for a minute."""
