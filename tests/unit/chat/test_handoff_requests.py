"""Wishes for a person, their opposites, and small talk, in every language that the widget speaks and more."""

from __future__ import annotations

import time

import pytest

from parley.chat.handoff_requests import is_greeting, is_thanks, requests_human

WISHES = [
    "I want to talk to a person",
    "Talk to a person",
    "can I speak with someone please?",
    "I need a human",
    "human",
    "Connect me to an agent now",
    "I don't want a bot, I want to talk to a person",
    "No, let me speak to a real person!",
    "Why can't I talk to a person?",
    "Ich möchte mit einem Menschen sprechen",
    "Mit einer Person sprechen",
    "Kann ich mit jemandem reden?",
    "Ich will einen Mitarbeiter sprechen",
    "Ich möchte bitte eine Beraterin sprechen",
    "Je veux parler à une personne",
    "Parler à une personne",
    "Puis-je parler à quelqu'un ?",
    "Quiero hablar con una persona",
    "Hablar con una persona",
    "Quero falar com uma pessoa",
    "Falar com uma pessoa",
    "Vorrei parlare con un operatore",
    "Ik wil met een medewerker praten",
    "أريد التحدث مع شخص",
    "التحدث مع شخص",
    "اريد ان اتكلم مع موظف",
    "Chcę rozmawiać z człowiekiem",
    "Я хочу поговорить с человеком",
    "соедините с оператором",
    "Хочу поговорити з людиною",
    "我想和真人客服说话",
    "转人工",
    "我想跟人聊聊",
    "人と話したいです",
    "オペレーターにつないでください",
    "상담원과 이야기하고 싶어요",
    "Bir insanla konuşmak istiyorum",
    "Jag vill prata med en människa",
    "Jeg vil gerne tale med et menneske",
    "Chci mluvit s člověkem",
    "agent please",
    "Agent, please!",
    "human pls",
    "rep",
    "connect me to support",
    "connect me with support please",
    "talk to sales",
    "can I get a human",
    "could I speak with customer service",
    "I'd like to speak to your support team",
    "speak to a manager",
    "can a human answer me",
    "hand me over to a colleague",
    "customer service",
    "support please",
    "einen Mitarbeiter bitte",
    "Ich brauche einen Menschen",
    "Kundenservice bitte",
    "Verbinden Sie mich mit dem Support",
    "un conseiller s'il vous plaît",
    "je veux un humain",
    "je souhaite parler au service client",
    "agente por favor",
    "pásame con un humano",
    "quiero un agente",
    "atendente por favor",
    "quero um atendente",
    "un operatore per favore",
    "mi passi un operatore",
    "medewerker alstublieft",
    "موظف من فضلك",
    "اريد موظف",
    "خدمة العملاء",
    "poproszę konsultanta",
    "оператор, пожалуйста",
    "позовите оператора",
    "нужен оператор",
    "客服",
    "叫人来",
    "担当者をお願いします",
    "상담원 부탁드려요",
    "insan istiyorum",
    "müşteri temsilcisine bağlanmak istiyorum",
    "människa tack",
    "koppla mig till kundtjänst",
    "operátora prosím",
    "אני רוצה לדבר עם נציג",
    "θέλω να μιλήσω με άνθρωπο",
    "vreau să vorbesc cu un om",
    "emberrel szeretnék beszélni",
    "Искам да говоря с човек",
    "Želim razgovarati s čovjekom",
    "Rad bi govoril s človekom",
    "Tahan rääkida inimesega",
    "Noriu pakalbėti su žmogumi",
    "Gribu runāt ar cilvēku",
    "می‌خواهم با یک انسان صحبت کنم",
    "मुझे किसी इंसान से बात करनी है",
    "tôi muốn nói chuyện với người thật",
    "saya ingin bicara dengan orang",
    "is there a real person I can talk to?",
    "Can a human call me back?",
    "human assistance please",
    "I wanna talk 2 a human",
    "I don't want to talk to a bot",
    "no bots please",
    "I need to speak to someone urgently",
    "Ich hätte gern einen Menschen am Chat",
    "Ich will mit keinem Bot reden",
    "Je ne veux pas parler à un robot",
    "Pouvez-vous me passer quelqu'un ?",
    "Puis-je avoir un agent humain ?",
    "Quiero hablar con un ser humano",
    "quiero hablar con el encargado",
    "No quiero hablar con una máquina",
    "operatore umano",
    "Proszę o kontakt z konsultantem",
    "Мені потрібна людина",
    "有真人吗",
    "客服在吗",
    "ممكن اتكلم مع حد",
    "حولني لموظف",
    "عايز اكلم خدمة العملاء",
    "Jag vill ha en riktig person",
    "ฉันต้องการคุยกับคน",
    "ขอคุยกับเจ้าหน้าที่",
]
NO_WISHES = [
    "I do not want to talk to a person",
    "I don't want to talk to a person.",
    "I'd rather not speak to an agent",
    "Can a person with asthma use it?",
    "can I speak to an agent policy holder about rebates?",
    "How do I become an agent?",
    "Is human hair used?",
    "Ich möchte nicht mit einem Menschen sprechen",
    "Ich will mit keinem Mitarbeiter sprechen",
    "Ich will keinen Mitarbeiter sprechen",
    "Do I have to talk to a person?",
    "Je ne veux pas parler à une personne",
    "No quiero hablar con una persona",
    "Não quero falar com uma pessoa",
    "لا أريد التحدث مع شخص",
    "Nie chcę rozmawiać z człowiekiem",
    "Я не хочу говорить с человеком",
    "我不想和真人客服说话",
    "人と話したくないです",
    "Bir insanla konuşmak istemiyorum",
    "Jag vill inte prata med en människa",
    "Ik wil niet met een medewerker praten",
    "no human please",
    "don't connect me to support",
    "I need support with my order",
    "do you support PayPal?",
    "how do I contact support?",
    "how do I connect to the support portal",
    "customer service hours",
    "the manager said no",
    "I would like a human hair wig",
    "I spoke to someone yesterday",
    "Ich brauche keinen Berater",
    "Ich möchte Mitarbeiter werden",
    "Wie sind die Zeiten vom Kundenservice?",
    "je n'ai pas besoin d'un humain",
    "horaires du service client",
    "no quiero un agente",
    "quiero un agente de viajes",
    "não quero um atendente",
    "non voglio un operatore",
    "ik wil geen medewerker",
    "لا أحتاج موظف",
    "не нужен оператор",
    "客服电话多少",
    "我不要人工",
    "temsilci istemiyorum",
    "beni bir insana bağlamayın",
    "לא רוצה לדבר עם נציג",
    "इंसान से बात नहीं करनी",
    "Hello",
    "",
    "Will I have to speak to an agent?",
    "Muss ich mit einem Mitarbeiter sprechen?",
    "Dois-je parler à un conseiller ?",
    "please no agent",
    "I hate talking to people",
    "Is this safe for human consumption?",
    "human resources department email?",
    "Wie viele Mitarbeiter hat die Firma?",
    "不用转人工",
    "ฉันไม่ต้องการคุยกับคน",
    "I'd rather not talk to a person",
    "don't transfer me to a human",
    "What does operator overloading mean?",
    "I'm a customer service manager myself",
]


@pytest.mark.parametrize("text", WISHES)
def test_a_wish_for_a_person_is_recognized(text: str) -> None:
    assert requests_human(text)


@pytest.mark.parametrize("text", NO_WISHES)
def test_what_is_no_wish_is_not_taken_for_one(text: str) -> None:
    assert not requests_human(text)


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "hi!",
        "Hello there 👋",
        "Guten Tag",
        "Bonjour",
        "Buenos días",
        "Olá",
        "مرحبا",
        "👋",
        "👋🏽!",
        "🙋\u200d♀️",
        "hellooo",
        "Grüß Gott",
        "gruss gott",
        "Hallo zusammen",
        "שלום",
        "नमस्ते",
        "hello bot",
    ],
)
def test_a_greeting_is_recognized(text: str) -> None:
    assert is_greeting(text)


@pytest.mark.parametrize(
    "text", ["Thanks!", "Thank you so much", "ok", "Vielen Dank", "merci beaucoup", "شكرا", "👍", "🙏🏻", "❤️"]
)
def test_thanks_are_recognized(text: str) -> None:
    assert is_thanks(text)


@pytest.mark.parametrize(
    "text", ["Hello, what does it cost?", "👍?", "👍 5", "😡", "Good", "Anybody", "Are you open?", "?", "", "hi " * 99]
)
def test_questions_are_no_small_talk(text: str) -> None:
    assert not is_greeting(text)
    assert not is_thanks(text)


def test_the_time_is_bounded() -> None:
    started = time.perf_counter()
    for part in ("talk to a ", "mit einem ", "bir ", "n'", "和一个", " ", "parler à une ", "gerçek canlı "):
        requests_human(part * 2000)
    assert time.perf_counter() - started < 1
