"""Teams: departments of a tenant, each with members and sites, to which conversations are routed."""
