"""MCP servers: servers of tools, by the Model Context Protocol, whose tools a site's AI can call."""
