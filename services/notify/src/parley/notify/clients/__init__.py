"""Others that notify asks: Firebase Cloud Messaging, and chat for a site's team."""
