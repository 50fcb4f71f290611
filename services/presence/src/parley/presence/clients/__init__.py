"""Facts that other services own, asked for over the broker."""
