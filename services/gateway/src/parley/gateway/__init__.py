"""The gateway: the only service that clients reach; authenticates, limits and forwards their requests."""
