"""The copilot: drafts for operators, written by the site's AI. Nothing of it reaches a visitor by itself."""
