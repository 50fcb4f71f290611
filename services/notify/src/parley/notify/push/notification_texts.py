"""The texts of push notifications, in the operator's language; English for a language that is not listed."""

from __future__ import annotations

from dataclasses import dataclass

from parley.notify.push.screen_text import isolate
from parley.notify.push.triggers import PushKind


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language. `{name}` stands for the visitor's name."""

    visitor: str
    message: str
    pending: str
    transferred: str
    mention: str
    image: str
    hidden_title: str
    hidden_body: str
    test_title: str
    test_body: str


_LANGUAGES = {
    "en": Texts(
        visitor="A visitor",
        message="{name}",
        pending="{name} is waiting for a reply",
        transferred="{name}: transferred to you",
        mention="{name} mentioned you",
        image="sent an image",
        hidden_title="Live chat",
        hidden_body="New activity in a conversation",
        test_title="Live chat",
        test_body="Push notifications work on this device.",
    ),
    "pt": Texts(
        visitor="Um visitante",
        message="{name}",
        pending="{name} está aguardando atendimento",
        transferred="{name}: transferido para você",
        mention="{name} mencionou você",
        image="enviou uma imagem",
        hidden_title="Chat ao vivo",
        hidden_body="Há novidades em uma conversa",
        test_title="Chat ao vivo",
        test_body="As notificações funcionam neste dispositivo.",
    ),
    "es": Texts(
        visitor="Un visitante",
        message="{name}",
        pending="{name} está esperando que le atiendan",
        transferred="{name}: transferido a ti",
        mention="{name} le mencionó",
        image="envió una imagen",
        hidden_title="Chat en vivo",
        hidden_body="Hay novedades en una conversación",
        test_title="Chat en vivo",
        test_body="Las notificaciones funcionan en este dispositivo.",
    ),
    "de": Texts(
        visitor="Jemand",
        message="{name}",
        pending="{name} wartet auf eine Antwort",
        transferred="{name}: an Sie übergeben",
        mention="{name} hat Sie erwähnt",
        image="hat ein Bild geschickt",
        hidden_title="Live-Chat",
        hidden_body="Neues in einem Gespräch",
        test_title="Live-Chat",
        test_body="Benachrichtigungen kommen auf diesem Gerät an.",
    ),
    "fr": Texts(
        visitor="Un visiteur",
        message="{name}",
        pending="{name} attend une réponse",
        transferred="{name} : conversation transférée à vous",
        mention="{name} vous a mentionné",
        image="a envoyé une image",
        hidden_title="Chat en direct",
        hidden_body="Du nouveau dans une conversation",
        test_title="Chat en direct",
        test_body="Les notifications fonctionnent sur cet appareil.",
    ),
}


def get_texts(language: str) -> Texts:
    """Return the texts for a BCP 47 tag; `pt-BR` is `pt`."""
    return _LANGUAGES.get(language.replace("_", "-").split("-")[0].lower(), _LANGUAGES["en"])


def render(language: str, kind: PushKind, visitor_name: str, text: str, *, preview: bool) -> tuple[str, str]:
    """Return title and body. Without `preview` they contain neither the visitor's name nor the text."""
    texts = get_texts(language)
    if not preview:
        return texts.hidden_title, texts.hidden_body
    name = visitor_name or texts.visitor
    title = {
        "message": texts.message,
        "pending": texts.pending,
        "transferred": texts.transferred,
        "mention": texts.mention,
    }[kind]
    # Not str.format: a name chosen by a visitor must never be read as a pattern.
    title = name if title == "{name}" else title.replace("{name}", isolate(name))
    # An empty text means an image for `message` only; otherwise the visitor has not written yet.
    return title, text or (texts.image if kind == "message" else texts.hidden_body)
