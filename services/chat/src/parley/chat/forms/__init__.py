"""The forms of a site: before the chat, and while nobody is there."""
