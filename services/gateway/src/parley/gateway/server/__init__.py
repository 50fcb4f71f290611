"""HTTP towards the clients: connections, request bodies, response headers, client addresses."""
