"""The built web pages: panel, widget and demo."""
