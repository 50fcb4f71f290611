"""The sentences that Parley itself sends to visitors, by language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LocaleStrings:
    """One language's sentences."""

    unknown_answer: str
    engine_failed: str
    handoff_requested: str
    team_offline: str
    outside_hours: str
    next_opening: str
    """When the site opens again, with `{day}` and `{time}`."""
    closing_soon: str
    """Before a conversation is closed because the visitor does not answer, with `{minutes}`."""
    weekdays: tuple[str, ...]
    """Monday first."""
    greeting: str
    """In reply to a greeting."""
    thanks: str
    """In reply to thanks."""
    visitor: str
    """The visitor as the author of a message, in what they read themselves."""
    assistant: str
    """The AI as the author of a message."""
    call_question: str
    """Asks for consent to what the lines above it describe."""
    call_done: str
    """After what the visitor has agreed to, with `{title}`."""
    call_failed: str
    ask_for_person: str
    """What a visitor who wants to talk to a person may choose to send."""
    address_removed: str
    """In place of an address in a reply that no source has named."""


LOCALES = {
    "en": LocaleStrings(
        "I'm sorry, I don't know the answer to that. Would you like to talk to a person? I can ask our team to join.",
        "I'm sorry, I can't answer right now.",
        "I have asked our team to join. Somebody will be with you soon.",
        "Nobody from our team is here right now. Leave your e-mail address and we will write back to you.",
        "We are closed right now. Leave your e-mail address and we will write back to you.",
        "We are here again on {day} at {time}.",
        "We have not heard from you for a while. This chat closes in {minutes} min unless you write.",
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        "Hello! How can I help you?",
        "You're welcome!",
        "You",
        "AI assistant",
        "Shall I do this? Please answer yes or no.",
        "Done: {title}.",
        "This did not work: {title}.",
        "I want to talk to a person",
        "(address removed)",
    ),
    "de": LocaleStrings(
        "Das weiß ich leider nicht. Möchten Sie mit einem Menschen sprechen? Ich kann jemanden aus unserem Team holen.",
        "Es tut mir leid, ich kann gerade nicht antworten.",
        "Ich habe unser Team gebeten zu übernehmen. Gleich ist jemand für Sie da.",
        "Gerade ist niemand aus unserem Team da. Hinterlassen Sie Ihre E-Mail-Adresse, wir schreiben Ihnen zurück.",
        "Wir haben gerade geschlossen. Hinterlassen Sie Ihre E-Mail-Adresse, wir schreiben Ihnen zurück.",
        "Wir sind am {day} um {time} wieder da.",
        "Wir haben eine Weile nichts von Ihnen gehört. Dieser Chat endet in {minutes} Min., wenn Sie nicht schreiben.",
        ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
        "Hallo! Wie kann ich Ihnen helfen?",
        "Gern geschehen!",
        "Sie",
        "KI-Assistent",
        "Soll ich das tun? Bitte antworten Sie mit Ja oder Nein.",
        "Erledigt: {title}.",
        "Das hat nicht geklappt: {title}.",
        "Mit einem Menschen sprechen",
        "(Adresse entfernt)",
    ),
    "fr": LocaleStrings(
        "Désolé, je ne connais pas la réponse. Voulez-vous parler à une personne de notre équipe ?",
        "Désolé, je ne peux pas répondre pour le moment.",
        "J'ai demandé à notre équipe de vous rejoindre. Quelqu'un sera bientôt avec vous.",
        "Personne de notre équipe n'est là pour le moment. Laissez votre adresse e-mail, nous vous répondrons.",
        "Nous sommes fermés pour le moment. Laissez votre adresse e-mail, nous vous répondrons.",
        "Nous serons de retour {day} à {time}.",
        "Nous n'avons pas eu de vos nouvelles depuis un moment. Sans message de votre part, ce chat se "
        "terminera dans {minutes} min.",
        ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
        "Bonjour ! Comment puis-je vous aider ?",
        "Avec plaisir !",
        "Vous",
        "Assistant IA",
        "Dois-je le faire ? Répondez par oui ou par non.",
        "C'est fait : {title}.",
        "Cela n'a pas fonctionné : {title}.",
        "Parler à une personne",
        "(adresse supprimée)",
    ),
    "es": LocaleStrings(
        "Lo siento, no sé la respuesta. ¿Quiere hablar con una persona de nuestro equipo?",
        "Lo siento, ahora mismo no puedo responder.",
        "He pedido a nuestro equipo que se una. Alguien estará con usted enseguida.",
        "Ahora mismo no hay nadie de nuestro equipo. Deje su correo electrónico y le responderemos.",
        "Ahora mismo estamos cerrados. Deje su correo electrónico y le responderemos.",
        "Volvemos el {day} a las {time}.",
        "Hace un rato que no sabemos de usted. Este chat se cerrará en {minutes} min si no escribe.",
        ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
        "¡Hola! ¿En qué puedo ayudarle?",
        "¡De nada!",
        "Usted",
        "Asistente de IA",
        "¿Lo hago? Responda sí o no, por favor.",
        "Hecho: {title}.",
        "No ha funcionado: {title}.",
        "Hablar con una persona",
        "(dirección eliminada)",
    ),
    "pt": LocaleStrings(
        "Desculpe, não sei a resposta. Quer falar com uma pessoa da nossa equipe?",
        "Desculpe, não consigo responder agora.",
        "Pedi à nossa equipe que entre na conversa. Logo alguém estará com você.",
        "Não há ninguém da nossa equipe agora. Deixe o seu e-mail e responderemos.",
        "Estamos fechados agora. Deixe o seu e-mail e responderemos.",
        "Voltamos: {day}, {time}.",
        "Há algum tempo não temos notícias suas. Este chat será encerrado em {minutes} min se você não escrever.",
        ("segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo"),
        "Olá! Como posso ajudar?",
        "De nada!",
        "Você",
        "Assistente de IA",
        "Devo fazer isto? Responda sim ou não, por favor.",
        "Feito: {title}.",
        "Não funcionou: {title}.",
        "Falar com uma pessoa",
        "(endereço removido)",
    ),
    "it": LocaleStrings(
        "Mi dispiace, non conosco la risposta. Vuole parlare con una persona del nostro team?",
        "Mi dispiace, al momento non posso rispondere.",
        "Ho chiesto al nostro team di unirsi. Tra poco qualcuno sarà con lei.",
        "In questo momento non c'è nessuno del nostro team. Lasci il suo indirizzo e-mail e le risponderemo.",
        "In questo momento siamo chiusi. Lasci il suo indirizzo e-mail e le risponderemo.",
        "Torniamo {day} alle {time}.",
        "Non abbiamo sue notizie da un po'. Questa chat si chiuderà tra {minutes} min se non scrive.",
        ("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"),
        "Buongiorno! Come posso aiutarla?",
        "Prego!",
        "Lei",
        "Assistente IA",
        "Procedo? Risponda sì o no, per favore.",
        "Fatto: {title}.",
        "Non ha funzionato: {title}.",
        "Parlare con una persona",
        "(indirizzo rimosso)",
    ),
    "nl": LocaleStrings(
        "Sorry, dat weet ik niet. Wilt u met iemand van ons team praten?",
        "Sorry, ik kan nu niet antwoorden.",
        "Ik heb ons team gevraagd mee te doen. Er is zo iemand bij u.",
        "Er is nu niemand van ons team. Laat uw e-mailadres achter, dan schrijven we u terug.",
        "We zijn nu gesloten. Laat uw e-mailadres achter, dan schrijven we u terug.",
        "We zijn er weer op {day} om {time}.",
        "We hebben een tijdje niets van u gehoord. Deze chat sluit over {minutes} min als u niets schrijft.",
        ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"),
        "Hallo! Waarmee kan ik u helpen?",
        "Graag gedaan!",
        "U",
        "AI-assistent",
        "Zal ik dit doen? Antwoord met ja of nee.",
        "Gedaan: {title}.",
        "Dit is niet gelukt: {title}.",
        "Met iemand praten",
        "(adres verwijderd)",
    ),
}


def get_locale_strings(language: str | None) -> LocaleStrings:
    """The sentences in a language (BCP 47); in English for a language that is not supported."""
    return LOCALES.get(_primary_subtag(language or "en"), LOCALES["en"])


def is_supported(language: str | None) -> bool:
    """Whether there are sentences in a language (BCP 47)."""
    return language is not None and _primary_subtag(language) in LOCALES


def _primary_subtag(language: str) -> str:
    return language.split("-", maxsplit=1)[0].lower()
