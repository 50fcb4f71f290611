"""The engine that needs no account: it answers from the site's knowledge entries."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

from parley.chat.ai.engine import AiEngine
from parley.chat.ai.model import Passage, Prompt, ReplyMetadata
from parley.chat.words import split_words

MIN_SCORE = 0.6
"""The text score from which on a knowledge entry counts as an answer."""

MIN_COVERAGE = 0.5
"""The share of the question's informative words that an entry must contain to count as an answer."""

_STEM_LENGTH = 5
"""Words that begin alike count as the same: "opening" and "opened"."""
_FUNCTION_WORDS = frozenset(
    split_words(
        "the a an and or of to in on at for is are was be do does did can could will would i me my we our you "
        "your it its this that these there what when where which who whom whose why how have has had with "
        "from by about please tell if not der die das ein eine einen einem einer und oder von zu im in auf an "
        "für ist sind war kann können ich mich mir wir uns unser sie ihr ihre es was wann wo welche welcher "
        "wer warum wie haben hat mit aus über bitte gibt nicht le la les un une des et ou de du au aux en sur "
        "pour est sont être je nous vous votre vos il elle ce cette que quoi quand où quel quelle qui "
        "pourquoi comment avez avec pas el los las una unos y o del al por para es son ser yo nos su sus lo "
        "qué cuando cuándo dónde cuál quién cómo hay tiene con no os as uma e do da dos das ao em no na é são "
        "eu nós seu sua quando onde qual quem como tem com não il lo gli i uno di che cosa dove perché come "
        "sono siete avete con non het een van voor zijn ben ik wij wat waar welke wie waarom hoe heeft hebben "
        "met niet"
    )
)
_WORD = re.compile(r"\w+")
_CHUNK = re.compile(r"\S+\s*")


class BuiltinEngine(AiEngine):
    """Replies with the answer of the best matching entry, or with the fallback text. Costs no tokens."""

    name = "builtin"

    async def answer(self, prompt: Prompt, metadata: ReplyMetadata) -> AsyncGenerator[str, None]:
        relevant = [passage for passage in prompt.passages if _is_relevant(prompt.question, passage)]
        best = max(relevant, key=lambda passage: passage.score, default=None)
        if best is not None:
            text = best.answer
        else:
            metadata.knew_answer = False
            text = prompt.fallback_text
        for chunk in _CHUNK.findall(text):
            yield chunk


def _is_relevant(question: str, passage: Passage) -> bool:
    """Whether an entry is about the question: words like "what" and "the" in common are no reason to answer with it."""
    if passage.score < MIN_SCORE:
        return False
    asked = _stems(question)
    if not asked:
        return " ".join(_WORD.findall(question.casefold())) in " ".join(_WORD.findall(passage.question.casefold()))
    return len(asked & (_stems(passage.question) | _stems(passage.answer))) >= MIN_COVERAGE * len(asked)


def _stems(text: str) -> set[str]:
    return {word[:_STEM_LENGTH] for word in _WORD.findall(text.casefold()) if word not in _FUNCTION_WORDS}
