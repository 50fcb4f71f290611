"""MongoDB, and nothing else: documents to dataclasses and back."""
