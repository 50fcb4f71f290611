"""The numbered steps that brought chat's documents to what they are. They stay as they were when they were written."""

from __future__ import annotations

from pymongo import UpdateOne

from parley.common.mongodb import Document, Migration, Phase, Work

_HELD = ("accepted", "transferred")


async def _fill_handled_by(work: Work) -> None:
    """`handled_by` lists the operators who have held a conversation; older code did not write it."""
    await work.each("conversations", _handled_by, projection={"operator": 1, "history": 1, "handled_by": 1})


def _handled_by(conversation: Document) -> UpdateOne | None:
    held = [entry["to"] or entry["by"] for entry in conversation["history"] if entry["action"] in _HELD]
    handlers = {person["id"] for person in (*held, conversation["operator"]) if person}
    if handlers == set(conversation.get("handled_by", ())) and "handled_by" in conversation:
        return None
    return UpdateOne({"_id": conversation["_id"]}, [{"$set": {"handled_by": _HANDLERS}}])


# The server makes it of what stands in the document at that moment: whatever was written since it was read is in it.
# The version is left alone, so that no writer has to try again.
_HANDLERS: Document = {
    "$setDifference": [
        {
            "$setUnion": [
                {
                    "$map": {
                        "input": {
                            "$filter": {
                                "input": "$history",
                                "as": "entry",
                                "cond": {"$in": ["$$entry.action", list(_HELD)]},
                            }
                        },
                        "as": "entry",
                        "in": {"$ifNull": ["$$entry.to.id", "$$entry.by.id"]},
                    }
                },
                ["$operator.id"],
            ]
        },
        [None],
    ]
}

MIGRATIONS = (Migration(1, "fill_handled_by", _fill_handled_by, Phase.FILL),)
