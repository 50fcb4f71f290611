"""The transactional outbox: events are stored in the document that they report on, so that both are one write.

After the write is acknowledged, the document's entries are published in their order, with confirms, and then removed
from it: by the next write of the document if one follows soon, else by a write of the outbox. What a crash or a broker
outage leaves behind, the sweeper finds and publishes. So every event is published at least once, in order per document;
consumers recognize an event that they have handled by its id. If an entry of a document was left to the sweeper, the
document is read again before any newer entry of it is published.

An entry may embed documents of other collections (a message, a note, an audit entry). They are inserted before the
entry is removed, and readers also look into the outbox, so they are visible from the first write on. No caller waits
for the inserts, and they are batched.
"""

from parley.common.mongodb.outbox.entries import OutboxInsert, outbox_indexes, to_outbox_entry
from parley.common.mongodb.outbox.outbox import Outbox
from parley.common.mongodb.outbox.publisher import Publisher

__all__ = ["Outbox", "OutboxInsert", "Publisher", "outbox_indexes", "to_outbox_entry"]
