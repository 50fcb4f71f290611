"""Translation settings of a conversation."""
