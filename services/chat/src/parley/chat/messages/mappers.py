"""Messages and notes to and from MongoDB documents."""

from __future__ import annotations

from parley.chat.messages.model import Message, Note
from parley.chat.uploads.model import image_name
from parley.common.events.schemas import (
    ConfirmationSchema,
    FileSchema,
    MessageSource,
    MessageTranslation,
    OperatorRef,
    QuickReply,
    ToolCallSchema,
)
from parley.common.mongodb import Document


def operator_ref_document(person: OperatorRef | None) -> Document | None:
    return None if person is None else {"id": person.id, "name": person.name}


def to_operator_ref(document: Document | None) -> OperatorRef | None:
    return None if document is None else OperatorRef(id=document["id"], name=document["name"])


def message_document(message: Message) -> Document:
    document = {
        "_id": message.id,
        "tenant_id": message.tenant_id,
        "site_id": message.site_id,
        "conversation_id": message.conversation_id,
        "visitor_key": f"{message.site_id}:{message.session}",
        "session": message.session,
        "seq": message.seq,
        "role": message.role,
        "content": message.content,
        "image_url": message.image_url,
        "sender": operator_ref_document(message.sender),
        "message_id": message.message_id,
        "reply_to": message.reply_to,
        "proactive": message.proactive,
        "translation": message.translation.model_dump() if message.translation else None,
        "created_at": message.created_at,
    }
    if message.image_url is not None:
        # By its name an image is found when the installation has another address.
        document["image_name"] = image_name(message.image_url)
    if message.file is not None:
        document["file"] = message.file.model_dump()
    if message.sources:
        document["sources"] = [source.model_dump() for source in message.sources]
    if message.confirmation is not None:
        document["confirmation"] = message.confirmation.model_dump()
    if message.tool_calls:
        document["tool_calls"] = [call.model_dump() for call in message.tool_calls]
    if message.quick_replies:
        document["quick_replies"] = [reply.model_dump() for reply in message.quick_replies]
    if message.cited:
        document["cited"] = list(message.cited)
    if message.cap_reached is not None:
        document["cap_reached"] = message.cap_reached
    if message.image_use is not None:
        document["image_use"] = message.image_use
    return document


def to_message(document: Document) -> Message:
    translation, file, confirmation = (document.get(name) for name in ("translation", "file", "confirmation"))
    return Message(
        id=document["_id"],
        tenant_id=document["tenant_id"],
        site_id=document["site_id"],
        conversation_id=document["conversation_id"],
        session=document["session"],
        seq=document["seq"],
        role=document["role"],
        content=document["content"],
        created_at=document["created_at"],
        image_url=document["image_url"],
        file=FileSchema.model_validate(file) if file else None,
        sender=to_operator_ref(document["sender"]),
        message_id=document["message_id"],
        reply_to=document["reply_to"],
        proactive=document["proactive"],
        translation=MessageTranslation.model_validate(translation) if translation else None,
        sources=tuple(MessageSource.model_validate(source) for source in document.get("sources", ())),
        confirmation=ConfirmationSchema.model_validate(confirmation) if confirmation else None,
        tool_calls=tuple(ToolCallSchema.model_validate(call) for call in document.get("tool_calls", ())),
        quick_replies=tuple(QuickReply.model_validate(reply) for reply in document.get("quick_replies", ())),
        cited=tuple(document.get("cited", ())),
        cap_reached=document.get("cap_reached"),
        image_use=document.get("image_use"),
    )


def note_document(note: Note) -> Document:
    return {
        "_id": note.id,
        "tenant_id": note.tenant_id,
        "site_id": note.site_id,
        "conversation_id": note.conversation_id,
        "content": note.content,
        "author": operator_ref_document(note.author),
        "created_at": note.created_at,
        # Only where there are some: the index contains these notes alone.
        **({"mentions": list(note.mentions), "unread_by": list(note.mentions)} if note.mentions else {}),
    }


def to_note(document: Document) -> Note:
    author = to_operator_ref(document["author"])
    assert author is not None, "every note has an author"
    return Note(
        id=document["_id"],
        tenant_id=document["tenant_id"],
        site_id=document["site_id"],
        conversation_id=document["conversation_id"],
        content=document["content"],
        author=author,
        created_at=document["created_at"],
        # Notes of the version before have none.
        mentions=tuple(document.get("mentions", ())),
    )
