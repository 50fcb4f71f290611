"""Backup of a whole installation into one file, and its restore into an empty one."""
