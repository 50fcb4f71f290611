"""Identification: the site's server proves who a visitor is, and what they wrote on their devices is one history."""
