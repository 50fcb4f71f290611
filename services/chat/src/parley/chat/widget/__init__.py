"""The endpoints of a visitor's widget: write and read the reply, history, handoff, contact details, rating."""
