"""Invitations: how a new member of the team without a password sets one and logs in."""
