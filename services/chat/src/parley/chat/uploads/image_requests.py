"""The first byte of a request to the worker: what to do with the image after it."""

REENCODE = b"r"
SCALE_DOWN = b"s"
