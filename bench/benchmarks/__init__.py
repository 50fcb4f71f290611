"""The parts of `make bench`, a module each with a `PART` in it."""
