"""Runs all of Parley on one machine: the real servers, the five services, and a supervisor over them."""
