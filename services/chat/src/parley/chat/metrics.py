"""What is measured in chat, beside what every service measures."""

from __future__ import annotations

from prometheus_client import Counter

MESSAGES = Counter("parley_chat_messages_total", "Messages written.", ["role"])
CONVERSATIONS = Counter("parley_chat_transitions_total", "Changes of conversations.", ["event"])
ANSWERS = Counter("parley_chat_answers_total", "Answers of the AI, by how they ended.", ["outcome"])
RETRIES = Counter("parley_chat_write_conflicts_total", "Writes tried again because somebody else was faster.")
SILENCES = Counter("parley_chat_operator_timeouts_total", "Conversations taken from silent operators.", ["to"])
UPLOADS = Counter("parley_chat_uploads_total", "Images uploaded.", ["outcome"])
