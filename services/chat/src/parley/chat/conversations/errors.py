"""What conversations, messages and visitors can refuse, by name."""

from __future__ import annotations

from parley.common.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge, Unavailable, UnsupportedMedia


class ConversationNotFound(NotFound):
    code = "not_found"


class VisitorNotFound(NotFound):
    code = "not_found"


class VisitorIsErased(Conflict):
    """What was kept of the visitor is being erased; until that is done, nothing new is taken from the session."""

    code = "visitor_erased"
    sentence = "What was said here is being erased. Please try again in a minute."


class HeldByAnother(Conflict):
    """Somebody else holds the conversation; the answer names them."""

    code = "conversation_held"
    sentence = "Another operator holds this conversation."

    def __init__(self, operator_id: int, name: str) -> None:
        super().__init__(f"{name} holds this conversation.", operator={"id": operator_id, "name": name})


class ConversationClosed(Conflict):
    code = "conversation_closed"
    sentence = "This conversation is closed."


class KeyReused(Invalid):
    """The sender's id of a message was used for another one."""

    code = "idempotency_key_reused"
    sentence = "This Idempotency-Key was used for another request."

    def __init__(self) -> None:
        super().__init__({"Idempotency-Key": "was used with another body"})


class NotHeld(Conflict):
    code = "conversation_not_held"
    sentence = "No operator holds this conversation."


class VisitorOffline(Conflict):
    code = "visitor_offline"
    sentence = "This visitor is not online."


class VisitorIsBlocked(Forbidden):
    code = "visitor_blocked"
    sentence = "You cannot write here."


class NothingToRate(Conflict):
    code = "nothing_to_rate"
    sentence = "There is no conversation to rate yet."


class TooBusy(Unavailable):
    """So many changes met on one conversation that this one found no gap."""

    code = "busy"
    sentence = "The conversation is very busy. Please try again."


class NotAnImage(UnsupportedMedia):
    code = "not_an_image"
    sentence = "This is not a JPEG, PNG, GIF or WebP image."


class ImageTooLarge(TooLarge):
    code = "image_too_large"
    sentence = "The image is larger than allowed: at most 10 MB, 40 megapixels and 200 frames."
