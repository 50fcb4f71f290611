"""Which operators and visitors are online: a read model of presence's events, and questions to presence."""
