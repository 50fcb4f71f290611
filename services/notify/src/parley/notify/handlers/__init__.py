"""What a request means: read, one call into the domain or the streams, answer."""
