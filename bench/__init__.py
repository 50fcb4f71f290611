"""Parley measured against the limit of the machine: every part beside its own floor, in one run."""
