"""Messages and private notes: sending, receiving, deduplication, storage, and translation before sending.

Use cases: `operator_service` (what operators send), `visitor_service` (what visitors do), `visitor_conversations` (the
conversation that a visitor writes in), `translations`.

Each message is stored once however often it is sent. A client's message id is the deduplication key. A conversation
holds its latest ids itself; older ones are looked up before the write, from a snapshot of the conversation. The
transition then checks that no more messages were added since the snapshot than the conversation holds ids for; else
the snapshot is stale and the lookup is repeated.
"""
