"""HTTP in and out: parse, one domain call, reply."""
