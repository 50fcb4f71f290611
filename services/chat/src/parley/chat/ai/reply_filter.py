"""Separates a model's text for the visitor from its reasoning, its tool calls and the marker "no answer".

The chunks of a stream may split a tag or a marker anywhere, so text that could be the start of one is held back until
that is known. The time for a chunk depends on its own length only, whatever a model writes.
"""

from __future__ import annotations

import re
import unicodedata

from parley.chat.ai.prompts import NO_ANSWER_TOOL
from parley.common.texts import INVISIBLE, TextStreamCleaner

_MAX_MARKER = 96
"""Characters of a marker, with its brackets and decoration."""
_MARKER_LETTERS = "noanswer"
_OPENING, _CLOSING = "[{<【［〔「", "]}>】］〕」"
_DECORATION = " \t\r\n\\*_~`\"'“”„‘’«»‹›.!:;|-–—#()（）\u200b\u00a0"
_LEADING = _OPENING + " \t\r\n\\*_~`\"'“”„‘’«»‹›|-–—#()（）\u200b\u00a0"
"""What may stand before a marker and belongs to it; the end of a sentence does not."""
_ZERO_WIDTH = "\u00ad\u200b\u200c\u200d\u2060"
_SEPARATORS = " \t\r\n_-–—\\\u00a0*" + _ZERO_WIDTH

_REASONING_NAMES = (
    *("think", "thinking", "thought", "thoughts", "reasoning", "reasoning_content", "reflection", "analysis"),
    *("scratchpad", "internal", "seed:think"),
)
_REASONING_TAGS = (
    *((f"<{name}>", f"</{name}>") for name in _REASONING_NAMES),
    ("<|thinking|>", "<|/thinking|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("[think]", "[/think]"),
    ("◁think▷", "◁/think▷"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
)
_TOOL_CALL_TAGS = (
    *(
        (f"<{name}>", f"</{name}>")
        for name in ("tool_call", "tool_calls", "tool_response", "function_call", "function_calls")
    ),
    ("<function=", "</function>"),
    ("<|tool_call|>", "<|/tool_call|>"),
    ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
    ("[tool_calls]", "</s>"),
    ("<|python_tag|>", "<|eom_id|>"),
)
"""How models write tool calls that their server does not read."""
_NEVER = "\0"
"""Ends nothing: no text contains it."""
_TEMPLATE_MARKS = (
    *(
        (token, "")
        for token in ("<|im_start|>assistant", "<|start|>assistant", "<|assistant|>", "<start_of_turn>model")
    ),
    *((token, "") for token in ("<|channel|>final<|message|>", "<|begin_of_text|>", "<|end|>", "</think>")),
    *((token, "") for token in ("<|begin_of_solution|>", "<|end_of_solution|>", "<answer>", "</answer>")),
    # What follows is the next turn, which the model makes up.
    *((token, _NEVER) for token in ("<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|end_of_text|>", "<|return|>")),
    *((token, _NEVER) for token in ("<|user|>", "<end_of_turn>", "<｜end▁of▁sentence｜>")),
)
"""Marks of chat templates, which a server without the model's own template leaves in the text."""
_HIDDEN_TAGS = dict((*_REASONING_TAGS, *_TOOL_CALL_TAGS, *_TEMPLATE_MARKS))
_OPENINGS = re.compile("|".join(re.escape(opening) for opening in _HIDDEN_TAGS))
_UNFINISHED = frozenset(opening[:length] for opening in _HIDDEN_TAGS for length in range(1, len(opening)))
_LONGEST = max(map(len, _HIDDEN_TAGS))
_CALL_STARTS = ("functions.", "json\n", "json\r", "tool_code\n")
_ASCII_LOWER = {ordered: ordered + 32 for ordered in range(ord("A"), ord("Z") + 1)}
"""Unlike `str.lower`, leaves the length of a text as it is."""


_SYMBOLS = ("So", "Sc")
"""Unicode's categories of symbols that count as content: emoji and currencies."""


def has_visible_content(text: str) -> bool:
    """Whether a text contains a letter, a digit, or a symbol such as an emoji."""
    categories = (unicodedata.category(letter) for letter in text if letter not in INVISIBLE)
    return any(category[0] in "LN" or category in _SYMBOLS for category in categories)


class HiddenTextFilter:
    """Removes reasoning, tool calls and marks of chat templates, which models write into their text.

    What is not closed is hidden to its end.
    """

    def __init__(self) -> None:
        self._buffer = ""
        self._close: str | None = None
        self.contained_reasoning = False
        self.called_tool = False

    def feed(self, chunk: str) -> str:
        """Return the text that can be shown now."""
        text = self._buffer + chunk
        shown: list[str] = []
        while True:
            lowered = text.translate(_ASCII_LOWER)
            if self._close is not None:
                end = lowered.find(self._close)
                if end < 0:
                    self._buffer = text[-len(self._close) :]
                    return "".join(shown)
                text, self._close = text[end + len(self._close) :], None
                continue
            found = _OPENINGS.search(lowered)
            if found is None:
                tail_length = _unfinished_tag_length(lowered)
                self._buffer = text[len(text) - tail_length :]
                shown.append(text[: len(text) - tail_length])
                return "".join(shown)
            start, opening = found.start(), found[0]
            self._close = _HIDDEN_TAGS[opening]
            self.contained_reasoning = self.contained_reasoning or (opening, self._close) in _REASONING_TAGS
            self.called_tool = self.called_tool or (opening, self._close) in _TOOL_CALL_TAGS
            shown.append(text[:start])
            text = text[start + len(opening) :]

    def finish(self) -> str:
        """Return what was held back and is not hidden."""
        held, self._buffer = self._buffer, ""
        return "" if self._close is not None else held


def _unfinished_tag_length(lowered: str) -> int:
    """How many characters at the end may be the start of a tag."""
    lengths = range(min(_LONGEST - 1, len(lowered)), 0, -1)
    return next((length for length in lengths if lowered[-length:] in _UNFINISHED), 0)


class ReplyFilter:
    """Yields what the visitor may read of a reply. After a marker of "no answer", nothing more is shown."""

    def __init__(self) -> None:
        self._cleaner = TextStreamCleaner()
        self._hidden = HiddenTextFilter()
        self._buffer = ""
        self._withheld: list[str] = []
        self._at_start = True
        self.marker_found = False
        self.has_content = False

    @property
    def contained_reasoning(self) -> bool:
        """Whether the text contained reasoning."""
        return self._hidden.contained_reasoning

    @property
    def called_tool(self) -> bool:
        """Whether the text contained a tool call."""
        return self._hidden.called_tool

    def feed(self, chunk: str) -> str:
        """Return the text that can be shown now."""
        return self._release(self._hidden.feed(self._cleaner.feed(chunk)), final=False)

    def finish(self) -> str:
        """Return what was held back to the end."""
        rest = self._hidden.feed(self._cleaner.finish())
        return self._release(rest + self._hidden.finish(), final=True)

    def _release(self, text: str, *, final: bool) -> str:
        if self.marker_found:
            return ""
        self._buffer += text
        end = self._find_end(final=final)
        shown, self._buffer = self._buffer[:end], self._buffer[end:]
        self._at_start = self._at_start and not shown
        if self.has_content:
            return shown
        # Blanks and punctuation alone are not an answer: they wait for what follows.
        self._withheld.append(shown)
        if not has_visible_content(shown):
            return ""
        self.has_content = True
        return "".join(self._withheld)

    def _find_end(self, *, final: bool) -> int:
        """Where the text ends that can be shown now: before a marker, or before what may become one."""
        position = 0
        while position < len(self._buffer):
            first = self._is_first(position)
            if first or self._buffer[position] in _LEADING:
                is_marker = _match_marker(self._buffer[position : position + _MAX_MARKER], at_start=first, final=final)
                self.marker_found = is_marker is True
                if is_marker or (is_marker is None and not final):
                    return position
            position += 1
        return position

    def _is_first(self, position: int) -> bool:
        return self._at_start and position == 0


def _match_marker(text: str, *, at_start: bool, final: bool) -> bool | None:
    """Whether a text starts with the marker: True, False, or None as long as it can become one.

    The marker is recognized in brackets of any kind, in either case, decorated or escaped. `at_start`: the text is the
    beginning of the reply. If it is all of it, the marker needs no brackets, or double brackets and any other words: a
    model may have translated it.
    """
    start = _skip(text, 0, _LEADING)
    brackets = sum(character in _OPENING for character in text[:start])
    undecided = None if len(text) < _MAX_MARKER else False
    if start == len(text):
        return undecided
    if not brackets and not at_start:
        return False
    if at_start and (begins_call := _begins_call(text, start)) is not False:
        if begins_call and NO_ANSWER_TOOL in text:
            return True
        return undecided if not final else False
    end = _match_letters(text, start)
    if end is None:
        return undecided
    if end < 0:
        return _match_other_words(text, start, final=final) if at_start and brackets > 1 else False
    after = _skip(text, end, _DECORATION + _CLOSING)
    if brackets and any(character in _CLOSING for character in text[end:after]):
        return True
    if after < len(text):
        # "no_answer({…})": the call of the function, written as text.
        return at_start and text[start:end] == NO_ANSWER_TOOL and text[after - 1] == "("
    return True if at_start and final else undecided


def _begins_call(text: str, start: int) -> bool | None:
    """Whether a text begins like the call of a function: an object in JSON, also in a block of code, or a path.

    None as long as it can become one.
    """
    opening, rest = text[:start], text[start:]
    if ("{" in opening and opening[-1] in "\"'") or rest.startswith(_CALL_STARTS):
        return True
    return None if any(call.startswith(rest) for call in _CALL_STARTS) else False


def _match_letters(text: str, position: int) -> int | None:
    """Where the marker's letters end; -1 if there are others, None if the text ends before."""
    matched = 0
    for index in range(position, len(text)):
        character = unicodedata.normalize("NFKC", text[index]).casefold()
        if character == _MARKER_LETTERS[matched]:
            matched += 1
            if matched == len(_MARKER_LETTERS):
                return index + 1
        elif not matched or character not in _SEPARATORS:
            return -1
    return None


def _match_other_words(text: str, position: int, *, final: bool) -> bool | None:
    closing = next((index for index in range(position, len(text)) if text[index] in _CLOSING), None)
    if closing is not None and _skip(text, closing, _DECORATION + _CLOSING) < len(text):
        return False
    if final:
        return closing is not None
    return None if len(text) < _MAX_MARKER else False


def _skip(text: str, position: int, characters: str) -> int:
    while position < len(text) and text[position] in characters:
        position += 1
    return position
