"""Paging of lists, shared by all rooms: the page as services return it, its HTTP schemas, its MongoDB query."""
