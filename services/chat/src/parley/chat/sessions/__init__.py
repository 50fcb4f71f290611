"""Login sessions of operators: login, rotation of refresh tokens, logout."""
