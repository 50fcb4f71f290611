"""Triggers: messages of the assistant that the widget shows by itself to visitors who meet a rule of the site."""
