"""The audit log: one entry for each change, with who made it, when and from which address."""
