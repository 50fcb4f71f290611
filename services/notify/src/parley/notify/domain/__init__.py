"""What notify does, in terms of nobody's library: tickets, push tokens, occasions for a push, and their deliveries."""
