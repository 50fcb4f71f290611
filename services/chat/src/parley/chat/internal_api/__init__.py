"""What the gateway asks of chat: logins, access of operators and API keys, sites and their origins."""
