"""MongoDB: records of operators and visitors, and the transitions found in them atomically."""
