"""Proofs of the guarantees."""
