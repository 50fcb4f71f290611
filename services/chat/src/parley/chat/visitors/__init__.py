"""Visitors of a site: who they are, how to reach them, whether they are blocked, and how they rated a conversation."""
