"""MongoDB: documents to dataclasses and back, and the indexes."""
