"""What a process needs to run: settings, life cycle, background tasks, clock, retry delays."""
