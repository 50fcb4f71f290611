"""Finds the passages of a site's knowledge that answer a question, by their words and by their meaning."""
