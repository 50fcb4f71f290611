"""Conversations: their state and transitions, who answers, and the queue, archive and ratings that operators see."""
