"""Open event streams: the window of the log they resume from, who sees what, and how bytes get to sockets."""
