"""Recognizes what a visitor's text asks for without a model: a person, or nothing at all (a greeting, thanks).

Every pattern runs in linear time: repetitions are bounded, and a text is cut before it is searched.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from parley.chat.words import split_words

_WORD = re.compile(r"[^\W\d_]+")

_MAX_SEARCHED_CHARACTERS = 500
_CLAUSE = re.compile(r"[.!?;,:\n。！？；，、؟،…]+|\b(?:but|sondern|aber|mais|sino|pero|mas|ma|maar)\b")

# What may follow the word for a person: the end of the clause, or a word that starts something new. A noun that follows
# makes it another thing: "an agent policy holder".
_EN_AFTER = (
    r"(?=\W*$|\s+(?:please|pls|now|about|who|that|on|at|from|in|right|immediately|today|here|because|regarding|"
    r"instead|"
    r"asap|again|thanks|for|and|or|not|as|directly|by|via)\b)"
)


@dataclass(frozen=True, slots=True)
class _Language:
    wishes: tuple[str, ...]
    negations: str
    """Before the wish, in the same clause: the visitor does not want it."""


_LANGUAGES = (
    _Language(
        (
            r"\b(?:talk|speak|chat|connect me|put me through|transfer me|switch me|get me|give me|need|want)"
            r"(?: directly)?(?: (?:to|with))? ?(?:a |an |the |some ?|your )?(?:real |live |actual |human )?"
            r"(?:human being|human|person|agent|operator|somebody|someone|employee|representative|staff member)"
            + _EN_AFTER,
            r"\b(?:real|live|actual) (?:human|person|agent|operator)" + _EN_AFTER,
            r"\bhuman (?:please|support|agent)\b",
            r"^\W*(?:a )?(?:human|operator|agent|representative)\W*$",
        ),
        r"(?<!why )\b(?:do not|don.?t|did not|didn.?t|doesn.?t|will not|won.?t|wouldn.?t|would not|never|"
        r"no need|not want|do i (?:have|need) to|"
        r"not need|not wish|rather not|prefer not|without|instead of|how (?:do|can) i become|want to become|to be)\b",
    ),
    _Language(
        (
            r"\b(?:mit|zu) (?:einem|einer|nem|ner|dem|der)? ?(?:echten |richtigen |menschlichen )?"
            r"(?:menschen|mensch|mitarbeiter(?:in)?|person|berater(?:in)?|jemandem|operator|agenten)"
            r"(?: aus fleisch und blut)?(?: \w{1,20}){0,2} ?(?:sprechen|reden|chatten|verbinden|verbunden|"
            r"schreiben|telefonieren)",
            r"\b(?:sprechen|reden|chatten|verbinden sie mich|verbinde mich) mit (?:einem|einer|dem) "
            r"(?:echten |richtigen )?(?:menschen|mitarbeiter(?:in)?|person|berater(?:in)?)\b",
            r"\b(?:echter|echten|richtiger|richtigen|echte|richtige) (?:mensch|menschen|person)\b",
            r"^\W*(?:mensch|mitarbeiter|operator)(?: bitte)?\W*$",
            r"\b(?:will|möchte|möcht) (?:bitte |gern |gerne )?(?:einen|eine|den|die) "
            r"(?:menschen|mitarbeiter(?:in)?|berater(?:in)?) sprechen\b",
        ),
        r"\b(?:nicht|kein(?:en|em|er|e)?|nie|niemals|ohne|statt)\b",
    ),
    _Language(
        (
            r"\b(?:parler|discuter|échanger|tchatter) (?:à |a |avec )(?:une? |l.)?(?:vraie? )?"
            r"(?:personne|humain|conseiller|conseillère|opérateur|agent|quelqu.un|être humain)\b",
            r"\b(?:vraie personne|être humain)\b",
            r"^\W*(?:humain|conseiller|opérateur)\W*$",
        ),
        r"\b(?:ne|n.|pas|sans|jamais)\b|\bn['’]",
    ),
    _Language(
        (
            r"\b(?:hablar|chatear|comunicarme) (?:con )?(?:una? )?(?:persona|humano|agente|operador(?:a)?|"
            r"alguien|asesor(?:a)?)\b",
            r"\bpersona (?:real|de verdad)\b",
            r"^\W*(?:humano|agente|operador)\W*$",
        ),
        r"\b(?:no|sin|nunca)\b",
    ),
    _Language(
        (
            r"\b(?:falar|conversar) com (?:uma? )?(?:pessoa|humano|atendente|operador|alguém|alguem)\b",
            r"\bpessoa (?:real|de verdade)\b",
            r"^\W*(?:humano|atendente|operador)\W*$",
        ),
        r"\b(?:não|nao|sem|nunca)\b",
    ),
    _Language(
        (
            r"\bparlare con (?:una? |un.)?(?:persona|umano|operatore|qualcuno|addetto|essere umano)\b",
            r"^\W*(?:umano|operatore)\W*$",
        ),
        r"\b(?:non|senza|mai)\b",
    ),
    _Language(
        (
            r"\b(?:praten|spreken|chatten) met (?:een )?(?:echt |echte )?(?:mens|persoon|medewerker|iemand)\b",
            r"\b(?:een )?(?:mens|persoon|medewerker|iemand) (?:spreken|praten)\b",
            r"\bmet (?:een )?(?:echt |echte )?(?:mens|persoon|medewerker|iemand) (?:praten|spreken|chatten)\b",
            r"^\W*(?:mens|medewerker)\W*$",
        ),
        r"\b(?:niet|geen|zonder|nooit)\b",
    ),
    _Language(
        (
            r"(?:التحدث|اتحدث|أتحدث|الحديث|اتكلم|أتكلم|التكلم|الكلام|اكلم|أكلم|احكي|أحكي|التواصل)\s+(?:مع\s+|"
            r"إلى\s+|الى\s+)?"
            r"(?:شخص|انسان|إنسان|موظف|بشر|احد|أحد|ممثل|وكيل|مندوب|مسؤول)",
            r"(?:شخص|انسان|إنسان)\s+حقيقي",
        ),
        r"(?:^|\s)(?:لا|لن|لم|ليس|بدون|لست|مش|ما)\s",
    ),
    _Language(
        (
            r"\b(?:rozmawiać|porozmawiać|pogadać|połącz\w{0,6}|pisać) (?:mnie )?z (?:prawdziwym |żywym |jakimś )?"
            r"(?:człowiekiem|osobą|konsultantem|konsultantką|pracownikiem|kimś|agentem)",
            r"^\W*(?:człowiek|konsultant)\W*$",
        ),
        r"\b(?:nie|bez|nigdy)\b",
    ),
    _Language(
        (
            r"\b(?:поговорить|говорить|пообщаться|связаться|соедините|соедини|переключите|связать|разговаривать)"
            r"(?: меня)? (?:с|со) (?:живым |реальным |настоящим )?(?:человеком|оператором|сотрудником|"
            r"менеджером|кем-нибудь|кем-то)",
            r"\b(?:поговорити|говорити|зв.язатися|з.єднайте) (?:мене )?(?:з|із|зі) (?:живою |"
            r"реальною )?(?:людиною|оператором|кимось)",
            r"\b(?:живой|реальный) (?:человек|оператор)\b",
            r"^\W*(?:человек|оператор|людина)\W*$",
        ),
        r"\b(?:не|без|никогда|ні)\b",
    ),
    _Language(
        (
            r"(?:和|跟|与|與|同|找|转接?|轉接?|联系|聯繫|要|接)(?:一?[个個位])?(?:真人|人工|真正的人|活人|客服人员|客服人員|人类|人類)",
            r"(?:和|跟|与|與)(?:一?[个個位])?(?:人|客服)(?:说话|說話|聊|谈|談|交谈|交談|对话|對話|沟通|溝通|讲话|講話)",
            r"^\W*(?:人工|真人)(?:客服|服务|服務)?\W*$",
        ),
        r"不|别|別|没|沒|无需|無需",
    ),
    _Language(
        (
            r"(?:人|人間|担当者|オペレーター|スタッフ|係員|有人)(?:の方)?(?:と|に)(?:直接)?(?:話|はな|チャット|相談|対応|つな|繋|代わ|かわ)",
            r"有人(?:対応|チャット)",
            r"^\W*(?:オペレーター|担当者|人間)(?:お願いします)?\W*$",
        ),
        r"$^",
    ),
    _Language(
        (
            r"(?:사람|상담원|상담사|직원|담당자)(?:이랑|랑|과|와|하고|에게|한테)\s?(?:직접\s?)?(?:이야기|얘기|대화|말|통화|연결|상담|채팅)",
            r"(?:상담원|상담사)\s?연결",
        ),
        r"$^",
    ),
    _Language(
        (
            r"\b(?:bir |gerçek |canlı ){0,3}(?:insanla|kişiyle|kişi ile|insan ile|temsilciyle|temsilci ile|"
            r"yetkiliyle|yetkili ile|"
            r"biriyle|operatörle|operatör ile|müşteri temsilcisiyle|müşteri temsilcisi ile)"
            r"(?: \w{1,20})? ?(?:konuşmak|konuşabilir|görüşmek|görüşebilir|yazışmak|konuşayım|görüşeyim|"
            r"bağla\w{0,10}|sohbet)",
            r"\b(?:müşteri temsilcisi|canlı destek)(?: istiyorum| lütfen)?\W*$",
        ),
        r"$^",
    ),
    _Language(
        (
            r"\b(?:prata|tala|snacka|chatta) med (?:en |någon )?(?:riktig |levande |mänsklig )?"
            r"(?:människa|person|någon|medarbetare|handläggare|agent|operatör)",
            r"\b(?:tale|snakke|chatte|prate) med (?:en |et |ein )?(?:rigtig |ekte |virkelig )?"
            r"(?:menneske|person|nogen|noen|medarbejder|medarbeider|kundebehandler)",
            r"\b(?:puhua|jutella|keskustella) (?:oikean )?(?:ihmisen|henkilön|asiakaspalvelijan) kanssa",
        ),
        r"\b(?:inte|ej|aldrig|ikke|aldri|uden|uten|utan|en halua)\b",
    ),
    _Language(
        (
            r"\b(?:mluvit|hovořit|promluvit|spojit|spojte)(?: mě| se)? s (?:živým |skutečným )?(?:člověkem|"
            r"operátorem|někým|osobou|pracovníkem)",
            r"\b(?:hovoriť|rozprávať|porozprávať)(?: sa)? s (?:človekom|operátorom|niekým|osobou)",
        ),
        r"\b(?:ne|nechci|nechcem|bez)\b",
    ),
)
_AFTER_NEGATIONS = re.compile(
    # Where the negation follows the wish.
    r"\b(?:istemiyorum|istemem|gerek yok|nicht (?:sprechen|reden|chatten|nötig)|not necessary|not needed|"
    r"is not possible)\b"
    r"|たくない|たくありません|必要ない|必要ありません|不要|고 싶지 않|필요 없"
)
_COMPILED = [
    (re.compile("|".join(f"(?:{wish})" for wish in language.wishes)), re.compile(language.negations))
    for language in _LANGUAGES
]
_SMALL_TALK_WORDS = 5
_SMALL_TALK_CHARACTERS = 80
_GREETINGS = frozenset(
    split_words(
        "hi hello hey hiya yo howdy greetings morning afternoon evening good day there hallo moin servus "
        "guten tag morgen abend gruezi grüezi grüß gott bonjour bonsoir salut coucou hola buenas buenos dias "
        "días tardes noches olá ola oi bom boa dia tarde noite ciao salve buongiorno buonasera buon giorno "
        "goedemorgen goedemiddag goedenavond goedendag hoi dag hej hejsan god morgon dzień dobry cześć witam "
        "witaj привет здравствуйте здравствуй добрый день утро вечер доброе вітаю merhaba selam günaydın "
        "مرحبا اهلا أهلا السلام عليكم سلام 你好 您好 嗨 こんにちは こんばんは おはよう おはようございます "
        "안녕 안녕하세요 ahoj dobrý den all "
        "everybody everyone team you how are is anybody anyone jemand da"
    )
)
_THANKS = frozenset(
    split_words(
        "thanks thank thx ty cheers you very so much many a lot danke dankeschön vielen dank schön sehr merci "
        "beaucoup gracias muchas obrigado obrigada muito grazie mille bedankt dank je wel tack så mycket tak "
        "dziękuję dzięki bardzo спасибо большое дякую teşekkürler teşekkür ederim sağol شكرا جزيلا 谢谢 謝謝 "
        "ありがとう ありがとうございます 감사합니다 děkuji "
        "bye goodbye ok okay great perfect super tschüss ciao adiós au revoir"
    )
)
_GREETING_CORE = _GREETINGS - frozenset(
    split_words("good day there all everybody everyone team you how are is anybody anyone jemand da")
)
_THANKS_CORE = _THANKS - frozenset(
    split_words("you very so much many a lot sehr schön dank beaucoup muchas mille muito bardzo")
)


def requests_human(text: str) -> bool:
    """Whether a visitor's text asks for a person, in any language that is known; not if it says that none is wanted."""
    normalized = unicodedata.normalize("NFC", " ".join(text[: 2 * _MAX_SEARCHED_CHARACTERS].casefold().split()))
    for clause in map(str.strip, _CLAUSE.split(normalized[:_MAX_SEARCHED_CHARACTERS])):
        for wishes, negations in _COMPILED:
            match = wishes.search(clause)
            if match is None:
                continue
            if not negations.search(clause[: match.end()]) and not _AFTER_NEGATIONS.search(clause[match.start() :]):
                return True
    return False


def is_greeting(text: str) -> bool:
    """Whether a text is a greeting and nothing else."""
    words = _words(text)
    return words is not None and _GREETINGS.issuperset(words) and not _GREETING_CORE.isdisjoint(words)


def is_thanks(text: str) -> bool:
    """Whether a text is thanks, an "ok" or a farewell, and nothing else."""
    words = _words(text)
    return words is not None and _THANKS.issuperset(words) and not _THANKS_CORE.isdisjoint(words)


def _words(text: str) -> list[str] | None:
    """The words of a short text; None for a long one, and for one without words."""
    if len(text) > _SMALL_TALK_CHARACTERS:
        return None
    words = _WORD.findall(unicodedata.normalize("NFC", text).casefold())
    return words if 0 < len(words) <= _SMALL_TALK_WORDS else None
