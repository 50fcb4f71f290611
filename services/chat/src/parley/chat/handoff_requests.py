"""Recognizes what a visitor's text asks for without a model: a person, or nothing at all (a greeting, thanks).

Every pattern runs in linear time: repetitions are bounded, and a text is cut before it is searched.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

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
class _Vocabulary:
    """Alternatives of words, from which the short wishes of a language are built: "agent please", "I need a human"."""

    people: str
    desks: str
    """Who people answer for: the customer service. Words that mean nothing else when they stand alone."""
    before: str
    """Articles and adjectives."""
    polite: str
    asks: str
    """Followed by a person: "I need"."""
    reaches: str
    """With its preposition, followed by a person or a desk: "connect me to"."""

    def wishes(self) -> tuple[str, ...]:
        filler = rf"(?:(?:{self.before}|{self.polite}) ){{0,4}}"
        anybody = f"(?:{self.people}|{self.desks})"
        end = rf"(?=\W*$| (?:{self.polite})\b)"
        return (
            rf"^\W*{filler}{anybody}(?: (?:{self.polite})){{0,2}}\W*$",
            rf"\b(?:{self.asks}) {filler}(?:{self.people}){end}",
            rf"\b(?:{self.reaches}) {filler}{anybody}{end}",
        )


@dataclass(frozen=True, slots=True)
class _Language:
    wishes: tuple[str, ...]
    negations: str
    """Before the wish, in the same clause: the visitor does not want it."""
    vocabulary: _Vocabulary | None = None

    def all_wishes(self) -> tuple[str, ...]:
        return self.wishes + (self.vocabulary.wishes() if self.vocabulary else ())


_EN = _Vocabulary(
    people=r"human being|human|person|operator|agent|representative|rep|employee|team member|staff member|"
    r"support agent|support person|service agent|advisor|adviser|manager|supervisor|colleague",
    desks=r"customer service|customer support|customer care|client support|live support|human support",
    before=r"a|an|the|your|some|real|live|actual|human|customer (?:service|support)",
    polite=r"please|pls|plz|now|asap|thanks|thank you|immediately|right now",
    asks=r"(?:can|could|may) (?:i|we) (?:please )?(?:get|have|reach)|i.d like|i would like|i.ll take",
    reaches=r"(?:talk|speak|chat)(?: directly)? (?:to|with)|(?:connect|transfer|switch|pass|put|hand) (?:me|us)"
    r"(?: (?:through|over|on))?(?: (?:to|with))?",
)
_DE = _Vocabulary(
    people=r"mensch(?:en)?|mitarbeiter(?:in)?|berater(?:in)?|operator|agent(?:en)?|kundenberater(?:in)?|"
    r"kundenbetreuer(?:in)?|kollege[n]?|kollegin|ansprechpartner(?:in)?|(?:support|service).?mitarbeiter(?:in)?",
    desks=r"kundenservice|kundendienst|kundensupport|kundenbetreuung|support.?team|(?<=dem )support|(?<=ihrem )support",
    before=r"ein(?:e[mnr]?)?|den|die|dem|der|ihrem|eurem|echte[rn]?|richtige[rn]?|lebende[rn]?|menschliche[rn]?",
    polite=r"bitte|danke|jetzt|sofort|sprechen",
    asks=r"will|möchte|brauche|hätte gerne?|gib mir|geben sie mir|hole? mir|holen sie mir",
    reaches=r"verbinden? (?:sie )?(?:mich|uns)(?: bitte)? (?:mit|zu)|(?:sprechen|reden|chatten) mit",
)
_FR = _Vocabulary(
    people=r"humain|être humain|conseillère?|conseiller|opérateur|opératrice|agent|vraie personne",
    desks=r"service client|service clients|support client|service clientèle",
    before=r"une?|le|la|l.|au|du|votre|vraie?|de",
    polite=r"s.il vous pla[iî]t|s.il te pla[iî]t|svp|stp|merci|maintenant",
    asks=r"(?:je )?(?:veux|voudrais|souhaite)|(?:j.ai )?besoin d.une?|besoin d.un|passez.moi|donnez.moi",
    reaches=r"(?:parler|discuter|échanger) (?:à|a|avec|au)|mettez.moi en (?:relation|contact) avec|"
    r"transférez.moi (?:à|vers)",
)
_ES = _Vocabulary(
    people=r"humano|agente|operador(?:a)?|asesor(?:a)?|ejecutiv[oa]|persona real",
    desks=r"atención al cliente|atencion al cliente|servicio al cliente|soporte",
    before=r"una?|el|la|con|de|verdadero|su|real",
    polite=r"por favor|porfa|porfavor|gracias|ahora|ya",
    asks=r"quiero|necesito|quisiera|me gustaría|dame|deme",
    reaches=r"(?:hablar|chatear|comunicarme) con|(?:pás[ae]me|pasarme|comuníc[ae]me|comunic[ae]me|me comunica|"
    r"conéct[ae]me|transfiér[ae]me|me pasa[s]?) (?:a|con)",
)
_PT = _Vocabulary(
    people=r"humano|atendente|operador(?:a)?|agente|consultor(?:a)?",
    desks=r"atendimento humano|suporte|apoio ao cliente|atendimento ao cliente",
    before=r"uma?|o|a|seu|de|real",
    polite=r"por favor|pfv|obrigad[oa]|agora",
    asks=r"quero|preciso de|preciso|gostaria de|queria",
    reaches=r"(?:falar|conversar) com|(?:me )?(?:passe|transfira|conecte|passa)(?: me)? (?:para|com|a)",
)
_IT = _Vocabulary(
    people=r"umano|operatore|operatrice|addetto|consulente|persona (?:vera|reale)|essere umano",
    desks=r"servizio clienti|assistenza clienti",
    before=r"una?|un.|il|l.|lo|la|vero|con",
    polite=r"per favore|per piacere|grazie|subito|ora",
    asks=r"voglio|vorrei|ho bisogno di|mi serve|mi passi|passatemi|mi dia",
    reaches=r"parlare con|mi (?:metta|metti) in contatto con|mi colleghi (?:a|con)",
)
_NL = _Vocabulary(
    people=r"mens|medewerker|adviseur|collega",
    desks=r"klantenservice",
    before=r"een|de|echt|echte|met",
    polite=r"alstublieft|alsjeblieft|aub|graag|nu|bedankt|spreken|praten",
    asks=r"wil|ik wil|heb|geef me|geef mij|nodig",
    reaches=r"verbind me(?: door)? met|verbind mij(?: door)? met|(?:praten|spreken|chatten) met",
)
_AR = _Vocabulary(
    people=r"موظف|إنسان|انسان|وكيل|ممثل|مندوب|شخص حقيقي|موظف حقيقي",
    desks=r"خدمة العملاء|خدمة الزبائن|الدعم الفني|الدعم",
    before=r"مع|الى|إلى",
    polite=r"من فضلك|من فضلكم|لو سمحت|لو سمحتم|رجاء|رجاءً|الان|الآن|شكرا",
    asks=r"اريد|أريد|ابغى|أبغى|ابي|عايز|بدي|أحتاج|احتاج|أحتاج إلى",
    reaches=r"(?:حولني|حولوني|اوصلني|أوصلني|التحدث|التواصل|اتكلم|أتكلم|اتحدث|أتحدث)(?: (?:الى|إلى|مع))?",
)
_PL = _Vocabulary(
    people=r"człowiek(?:a|iem)?|konsultant(?:a|em|kę|ką|ka)?|pracownik(?:a|iem)?|operator(?:a|em)?",
    desks=r"obsług[aęi] klienta|biuro obsługi",
    before=r"z|prawdziwego|prawdziwym|żywego|żywym|jakiegoś",
    polite=r"proszę|prosze|poproszę|poprosze|dziękuję|teraz",
    asks=r"chcę|chce|potrzebuję|dajcie mi|daj mi|poproszę|proszę o",
    reaches=r"połącz(?:cie)? mnie|proszę (?:mnie )?połączyć",
)
_RU = _Vocabulary(
    people=r"оператор(?:а|ом|у)?|человек(?:а|ом)?|сотрудник(?:а|ом)?|менеджер(?:а|ом)?|консультант(?:а|ом)?|людин[аиу]",
    desks=r"служб[ауе] поддержки|техподдержк[ауе]|поддержк[ауе]",
    before=r"с|со|з|живого|живым|живой|реального|мне|меня|на",
    polite=r"пожалуйста|будь ласка|сейчас|срочно|спасибо",
    asks=r"нужен|нужна|хочу|дайте|позовите|позови|пригласите|нужно|требуется|потрібен|покличте|переведите",
    reaches=r"соедините|соедини|переключите|переведите|свяжите|зв.яжіть",
)
_TR = _Vocabulary(
    people=r"insan|temsilci|müşteri temsilcisi|operatör|yetkili|gerçek kişi",
    desks=r"müşteri hizmetleri|canlı destek",
    before=r"bir|gerçek|canlı",
    polite=r"lütfen|istiyorum|bağlayın|bağla|teşekkürler",
    asks=r"bana",
    reaches=r"beni",
)
_SV = _Vocabulary(
    people=r"människa|medarbetare|handläggare|menneske|medarbejder|medarbeider|kundebehandler|kundeservicemedarbejder",
    desks=r"kundtjänst|kundeservice|kundservice|asiakaspalvelu",
    before=r"en|et|riktig|rigtig|ekte|levande|virkelig|med",
    polite=r"tack|nu|snälla|takk|vær så snill",
    asks=r"vill ha|behöver|vil ha|vil have|vil gerne have|trenger|har brug for",
    reaches=r"koppla mig till|koppla mig|prata med|tala med|tale med|snakke med|chatta med",
)
_CS = _Vocabulary(
    people=r"člověka?|operátora?|operátor|pracovníka?",
    desks=r"zákaznická podpora|zákaznickou podporu|zákaznický servis",
    before=r"živého|skutečného|s",
    polite=r"prosím|děkuji|teď|hned",
    asks=r"chci|potřebuji|potřebuju|dejte mi|chcem|potrebujem",
    reaches=r"spojte mě|přepojte mě na",
)
_LANGUAGES = (
    _Language(
        (
            r"\b(?:talk|speak|chat|connect me|put me through|transfer me|switch me|get me|give me|need|want)"
            r"(?: directly)?(?: (?:to|with))? ?(?:a |an |the |some ?|your )?(?:real |live |actual |human )?"
            r"(?:human being|human|person|agent|operator|somebody|someone|employee|representative|rep|staff member|"
            r"team member|advisor|adviser|manager|supervisor|colleague)" + _EN_AFTER,
            r"\b(?:(?:talk|speak|chat)(?: directly)? (?:to|with)|(?:connect|transfer|switch|pass|put|hand) (?:me|us)"
            r"(?: (?:through|over))?(?: (?:to|with))?) (?:the |your |an? |some )?(?:real |live |actual |human )?"
            r"(?:customer |technical |tech )?(?:support|service|care|sales|help ?desk|team)"
            r"(?: (?:team|staff|department|agent|representative|rep|person|people))?" + _EN_AFTER,
            r"^\W*(?:please )?(?:customer |technical |tech |live |human )?support (?:please|pls|plz|now)\b\W*$",
            r"\b(?:human|(?:real|live) (?:person|agent|operator))(?: please)? (?:help|answer|reply to|respond to|"
            r"assist|talk to|speak to|contact) (?:me|us)\b",
            r"\bescalate (?:this|it|me|my)\b",
            r"\b(?:real|live|actual) (?:human|person|agent|operator)" + _EN_AFTER,
            r"\bhuman (?:please|support|agent)\b",
            r"^\W*(?:a )?(?:human|operator|agent|representative)\W*$",
        ),
        r"(?<!why )\b(?:do not|don.?t|did not|didn.?t|doesn.?t|will not|won.?t|wouldn.?t|would not|never|"
        r"no need|not want|no (?:real |live )?(?:human|person|agent|operator|representative)|do i (?:have|need) to|"
        r"not need|not wish|rather not|prefer not|without|instead of|how (?:do|can) i become|want to become|to be)\b",
        _EN,
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
        _DE,
    ),
    _Language(
        (
            r"\b(?:parler|discuter|échanger|tchatter) (?:à |a |avec )(?:une? |l.)?(?:vraie? )?"
            r"(?:personne|humain|conseiller|conseillère|opérateur|agent|quelqu.un|être humain)\b",
            r"\b(?:vraie personne|être humain)\b",
            r"^\W*(?:humain|conseiller|opérateur)\W*$",
        ),
        r"\b(?:ne|n.|pas|sans|jamais)\b|\bn['’]",
        _FR,
    ),
    _Language(
        (
            r"\b(?:hablar|chatear|comunicarme) (?:con )?(?:una? )?(?:persona|humano|agente|operador(?:a)?|"
            r"alguien|asesor(?:a)?)\b",
            r"\bpersona (?:real|de verdad)\b",
            r"^\W*(?:humano|agente|operador)\W*$",
        ),
        r"\b(?:no|sin|nunca)\b",
        _ES,
    ),
    _Language(
        (
            r"\b(?:falar|conversar) com (?:uma? )?(?:pessoa|humano|atendente|operador|alguém|alguem)\b",
            r"\bpessoa (?:real|de verdade)\b",
            r"^\W*(?:humano|atendente|operador)\W*$",
        ),
        r"\b(?:não|nao|sem|nunca)\b",
        _PT,
    ),
    _Language(
        (
            r"\bparlare con (?:una? |un.)?(?:persona|umano|operatore|qualcuno|addetto|essere umano)\b",
            r"^\W*(?:umano|operatore)\W*$",
        ),
        r"\b(?:non|senza|mai)\b",
        _IT,
    ),
    _Language(
        (
            r"\b(?:praten|spreken|chatten) met (?:een )?(?:echt |echte )?(?:mens|persoon|medewerker|iemand)\b",
            r"\b(?:een )?(?:mens|persoon|medewerker|iemand) (?:spreken|praten)\b",
            r"\bmet (?:een )?(?:echt |echte )?(?:mens|persoon|medewerker|iemand) (?:praten|spreken|chatten)\b",
            r"^\W*(?:mens|medewerker)\W*$",
        ),
        r"\b(?:niet|geen|zonder|nooit)\b",
        _NL,
    ),
    _Language(
        (
            r"(?:التحدث|اتحدث|أتحدث|الحديث|اتكلم|أتكلم|التكلم|الكلام|اكلم|أكلم|احكي|أحكي|التواصل)\s+(?:مع\s+|"
            r"إلى\s+|الى\s+)?"
            r"(?:شخص|انسان|إنسان|موظف|بشر|احد|أحد|ممثل|وكيل|مندوب|مسؤول)",
            r"(?:شخص|انسان|إنسان)\s+حقيقي",
        ),
        r"(?:^|\s)(?:لا|لن|لم|ليس|بدون|لست|مش|ما)\s",
        _AR,
    ),
    _Language(
        (
            r"\b(?:rozmawiać|porozmawiać|pogadać|połącz\w{0,6}|pisać) (?:mnie )?z (?:prawdziwym |żywym |jakimś )?"
            r"(?:człowiekiem|osobą|konsultantem|konsultantką|pracownikiem|kimś|agentem)",
            r"^\W*(?:człowiek|konsultant)\W*$",
        ),
        r"\b(?:nie|bez|nigdy)\b",
        _PL,
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
        _RU,
    ),
    _Language(
        (
            r"(?:和|跟|与|與|同|找|转接?|轉接?|联系|聯繫|要|接)(?:一?[个個位])?(?:真人|人工|真正的人|活人|客服人员|客服人員|人类|人類)",
            r"(?:和|跟|与|與)(?:一?[个個位])?(?:人|客服)(?:说话|說話|聊|谈|談|交谈|交談|对话|對話|沟通|溝通|讲话|講話)",
            r"^\W*(?:请|請)?(?:人工|真人|客服)(?:客服|服务|服務)?(?:谢谢|謝謝)?\W*$",
            r"(?:叫|找|请|請|来|來)(?:一?[个個位])?(?:人|客服)(?:来|來|帮|幫)",
        ),
        r"不|别|別|没|沒|无需|無需",
    ),
    _Language(
        (
            r"(?:人|人間|担当者|オペレーター|スタッフ|係員|有人)(?:の方)?(?:と|に)(?:直接)?(?:話|はな|チャット|相談|対応|つな|繋|代わ|かわ)",
            r"有人(?:対応|チャット)",
            r"^\W*(?:オペレーター|担当者|人間|有人)(?:を|で)?(?:お願いします|お願い|希望)?\W*$",
        ),
        r"$^",
    ),
    _Language(
        (
            r"(?:사람|상담원|상담사|직원|담당자)(?:이랑|랑|과|와|하고|에게|한테)\s?(?:직접\s?)?(?:이야기|얘기|대화|말|통화|연결|상담|채팅)",
            r"(?:상담원|상담사)\s?연결",
            r"^\W*(?:상담원|상담사|사람)(?:을|이)?\s?(?:부탁\w{0,6}|불러\w{0,6}|원해요|원합니다)?\W*$",
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
            r"\b(?:insana|birine|temsilciye|temsilcisine|yetkiliye|operatöre|canlı desteğe) bağla\w{0,10}",
            r"\b(?:müşteri temsilcisi|canlı destek)(?: istiyorum| lütfen)?\W*$",
        ),
        r"$^",
        _TR,
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
        _SV,
    ),
    _Language(
        (
            r"\b(?:mluvit|hovořit|promluvit|spojit|spojte)(?: mě| se)? s (?:živým |skutečným )?(?:člověkem|"
            r"operátorem|někým|osobou|pracovníkem)",
            r"\b(?:hovoriť|rozprávať|porozprávať)(?: sa)? s (?:človekom|operátorom|niekým|osobou)",
        ),
        r"\b(?:ne|nechci|nechcem|bez)\b",
        _CS,
    ),
    _Language(
        (
            r"(?:לדבר|לשוחח) עם (?:נציג|נציגה|אדם|בן אדם|מישהו|בנאדם)",
            r"^\W*(?:נציג|נציגה|נציג אנושי)(?: בבקשה)?\W*$",
        ),
        r"(?:^|\s)(?:לא|בלי|אין)\s",
    ),
    _Language(
        (
            r"\b(?:μιλήσω|μιλησω|συνομιλήσω|συνδέσετε|συνδεθώ) (?:με|σε) (?:έναν |κάποιον |αληθινό )?"
            r"(?:άνθρωπο|ανθρωπο|εκπρόσωπο|υπάλληλο|κάποιον|χειριστή)",
        ),
        r"\b(?:δεν|δε|μη|μην|χωρίς)\b",
    ),
    _Language(
        (
            r"\b(?:vorbesc|vorbi|discut|discuta) cu (?:un |o |cineva )?(?:om|operator|agent|consultant|persoană|"
            r"cineva)",
            r"^\W*(?:un )?(?:om|operator|consultant)(?: (?:vă rog|te rog))?\W*$",
        ),
        r"\b(?:nu|fără)\b",
    ),
    _Language(
        (
            r"\b(?:emberrel|ügyintézővel|munkatárssal|operátorral|valakivel) (?:szeretnék |akarok |kívánok )?"
            r"(?:beszélni|beszélnék|beszélhetek)",
            r"\bbeszélni (?:szeretnék |akarok )?egy (?:emberrel|ügyintézővel|munkatárssal|operátorral)",
            r"^\W*(?:ügyintézőt|embert|operátort)(?: kérek)?\W*$",
        ),
        r"\b(?:nem|ne|nélkül)\b",
    ),
    _Language(
        (r"(?:इंसान|व्यक्ति|एजेंट|प्रतिनिधि|आदमी) से (?:बात|चैट)",),
        r"नहीं|मत",
    ),
    _Language(
        (r"\b(?:nói chuyện|chat|gặp|trao đổi)(?: trực tiếp)?(?: với)? (?:người thật|nhân viên|tư vấn viên|con người)",),
        r"\b(?:không|đừng)\b",
    ),
    _Language(
        (
            r"\b(?:bicara|berbicara|ngobrol|chat|bercakap) (?:dengan|sama) (?:seorang )?(?:orang|manusia|agen|petugas|"
            r"customer service|cs|staf|admin|ejen)",
        ),
        r"\b(?:tidak|tak|jangan|bukan|nggak)\b",
    ),
)
_AFTER_NEGATIONS = re.compile(
    # Where the negation follows the wish.
    r"\b(?:istemiyorum|istemem|gerek yok|nicht (?:sprechen|reden|chatten|nötig)|not necessary|not needed|"
    r"is not possible)\b"
    r"|नहीं|たくない|たくありません|必要ない|必要ありません|不要|고 싶지 않|필요 없"
)
_COMPILED = [
    (re.compile("|".join(f"(?:{wish})" for wish in language.all_wishes())), re.compile(language.negations))
    for language in _LANGUAGES
]
_SMALL_TALK_WORDS = 5
_SMALL_TALK_CHARACTERS = 80
_HELD_LETTER = re.compile(r"(\w)\1{2,}")
_WAVES = frozenset("👋🖐✋🙋🤗")
_THANKFUL_SIGNS = frozenset("👍🙏👌❤💕🎉😊🙂😀😄")


def _plain_words(text: str) -> list[str]:
    """Words without case, accents and letters that are held for emphasis ("hellooo")."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall(
        _HELD_LETTER.sub(r"\1", "".join(c for c in plain if not unicodedata.category(c).startswith("M")))
    )


# What greets or thanks by itself, and what only stands beside it.
_GREETINGS = frozenset(
    _plain_words(
        "hi hello hey hiya yo howdy greetings morning afternoon evening sup hallo hallöchen moin servus guten tag "
        "morgen abend gruezi grüß gott bonjour bonsoir salut coucou hola buenas buenos buen dias tardes noches "
        "olá oi bom boa dia tarde noite ciao salve buongiorno buonasera buon giorno goedemorgen goedemiddag "
        "goedenavond goedendag hoi dag hej hejsan hei god morgon dzień dobry cześć witam witaj привет здравствуйте "
        "здравствуй добрый день утро вечер доброе вітаю вітання merhaba selam günaydın مرحبا اهلا أهلا السلام عليكم "
        "سلام 你好 您好 嗨 こんにちは こんばんは おはよう おはようございます 안녕 안녕하세요 ahoj dobrý den "
        "שלום היי γεια नमस्ते नमस्कार สวัสดี สวัสดีครับ สวัสดีค่ะ xin chào halo bună szia helló test testing"
    )
)
_BESIDE_GREETINGS = frozenset(
    _plain_words(
        "good day there all everybody everyone team you how are is anybody anyone jemand da zusammen alle à tous a "
        "tutti todos again sir madam folks guys bot world σας σου bạn qué tal wie geht gehts s es ihnen dir ça va"
    )
)
_THANKS = frozenset(
    _plain_words(
        "thanks thank thx ty tysm cheers danke dankeschön vielen merci gracias obrigado obrigada grazie bedankt dank "
        "je wel tack så tak dziękuję dzięki спасибо дякую teşekkürler teşekkür ederim sağol شكرا جزيلا 谢谢 謝謝 "
        "ありがとう ありがとうございます 감사합니다 děkuji תודה ευχαριστώ धन्यवाद ขอบคุณ "
        "bye goodbye ok okay great perfect "
        "super cool np tschüss ciao adiós au revoir"
    )
)
_BESIDE_THANKS = frozenset(
    _plain_words(
        "you u very so much many a lot sehr schön beaucoup bien muchas muito mille mycket mate dir ihnen bardzo "
        "большое no good"
    )
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
    return _is_small_talk(text, _GREETINGS, _BESIDE_GREETINGS, _WAVES)


def is_thanks(text: str) -> bool:
    """Whether a text is thanks, an "ok" or a farewell, and nothing else."""
    return _is_small_talk(text, _THANKS, _BESIDE_THANKS, _THANKFUL_SIGNS)


def _is_small_talk(text: str, core: frozenset[str], beside: frozenset[str], signs: frozenset[str]) -> bool:
    """Whether a short text has words of `core` and no others than `beside`; without words, whether it has a sign."""
    if len(text) > _SMALL_TALK_CHARACTERS:
        return False
    words = _plain_words(text)
    if not words:
        return not signs.isdisjoint(text) and not any(letter.isalnum() or letter == "?" for letter in text)
    return len(words) <= _SMALL_TALK_WORDS and not core.isdisjoint(words) and (core | beside).issuperset(words)
