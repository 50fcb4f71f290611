"""Assignment: gives waiting conversations to operators, and tells visitors their place in the queue."""
