"""Paging of lists, shared by all features: the page as services return it, its HTTP schemas, its MongoDB query."""
