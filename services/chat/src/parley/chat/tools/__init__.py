"""Tools: functions of a site's own systems that its AI can call for a visitor."""
