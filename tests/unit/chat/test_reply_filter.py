"""What visitors see of a model's text: no thoughts and no marker, however a stream cuts them."""

from __future__ import annotations

import time

import pytest

from parley.chat.ai.reply_filter import ReplyFilter

MARKERS = [
    "[[NO ANSWER]]",
    "[[no answer]]",
    "**[[NO ANSWER]]**",
    '"[[NO ANSWER]]"',
    "„[[No Answer]]“.",
    "[[NO_ANSWER]]",
    "[[NOANSWER]]",
    "[[ NO-ANSWER ]]",
    "\\[\\[NO ANSWER\\]\\]",
    "[NO ANSWER]",
    "【NO ANSWER】",
    "［［ＮＯ ＡＮＳＷＥＲ］］",
    "<NO_ANSWER>",
    "{{NO ANSWER}}",
    "`[[NO ANSWER]]`",
    "NO ANSWER",
    "No answer.",
    "[[NO ANSWER]][[NO ANSWER]]",
    "\n\n# [[NO ANSWER]]\n",
    "[[KEINE ANTWORT]]",
    "<think>Hm. [[maybe]]</think>\n[[NO ANSWER]]",
    "[[NO\u200b ANS\u2060WER]]",
    "[[NO\x00 ANSWER]]",
    "no_answer()",
    'no_answer({"topic": "opening hours"})',
    'functions.no_answer({"topic": "opening hours"})',
    '{"name": "no_answer", "arguments": {"topic": "opening hours"}}',
    '[{"name":"no_answer","parameters":{"topic":"x"}}]',
    '```json\n{"type": "function", "function": {"name": "no_answer"}}\n```',
    "```tool_code\nno_answer(topic='x')\n```",
]
ANSWERS = [
    "We open at nine.",
    "No answer to that is known, but call us.",
    "(no answer) means that you call again.",
    "a < b, [Notes](https://example.com) and [no] **stars**",
    "👍",
    "5 €",
    "[[Terms]] are here.",
    "Nothing",
    '{"a": 1} is an object, and no answer is a function.',
    "functions are explained on our page",
    "For nine euros; json is a format.",
    "```json\n{}\n```",
    "no_answer is the name of a function (of a library).",
]


def read(text: str, size: int) -> tuple[str, ReplyFilter]:
    reply = ReplyFilter()
    said = [reply.feed(text[start : start + size]) for start in range(0, len(text), size)]
    return "".join([*said, reply.finish()]), reply


@pytest.mark.parametrize("marker", MARKERS)
def test_the_marker_is_found_in_every_cut_and_never_seen(marker: str) -> None:
    for size in range(1, len(marker) + 1):
        said, reply = read(marker, size)
        assert (said, reply.marker_found, reply.has_content) == ("", True, False), size


def test_the_marker_is_found_after_other_words() -> None:
    for size in range(1, 30):
        said, reply = read("Sorry, no. **[[NO ANSWER]]** Bye", size)
        assert (said, reply.marker_found) == ("Sorry, no.", True), size


@pytest.mark.parametrize("answer", ANSWERS)
def test_answers_are_not_changed(answer: str) -> None:
    for size in range(1, len(answer) + 1):
        said, reply = read(answer, size)
        assert (said, reply.marker_found) == (answer, False), size


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<think>The visitor asks.</think>Nine.", "Nine."),
        ("<THINK>\nHm\n</Think>\n\nNine.", "\n\nNine."),
        ("Well<reasoning>a</reasoning>, nine.", "Well, nine."),
        ("[THINK]a[/THINK]Nine.", "Nine."),
        ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>Nine.", "Nine."),
        ("<think>never closed", ""),
        ("<thin air> is fine", "<thin air> is fine"),
        ('Nine.<tool_call>{"name": "no_answer"}</tool_call>', "Nine."),
        ('[TOOL_CALLS] [{"name": "no_answer"}]', ""),
        ("<function=no_answer>{}</function>", ""),
        ("<think>a<think>b</think></think>Nine.", "Nine."),
        ("<scratchpad>a</scratchpad><answer>Nine.</answer>", "Nine."),
        ("<|begin_of_thought|>a<|end_of_thought|><|begin_of_solution|>Nine.<|end_of_solution|>", "Nine."),
        ("<|im_start|>assistant Nine.<|im_end|>", " Nine."),
        ("Nine.<|eot_id|><|user|>And on Sunday?", "Nine."),
        ("<|channel|>final<|message|>Nine.<|return|>", "Nine."),
        ("Nine.<end_of_turn>", "Nine."),
        ("if a<|b|>c", "if a<|b|>c"),
    ],
)
def test_thoughts_and_marks_of_templates_are_not_said(text: str, said: str) -> None:
    for size in range(1, len(text) + 1):
        assert read(text, size)[0] == said, size


@pytest.mark.parametrize("text", ["", "  \n\t", "…", "***", "\u200b", "\u3164\u2800", "<think>a</think>\n"])
def test_blanks_and_punctuation_say_nothing(text: str) -> None:
    said, reply = read(text, 1)
    assert (said, reply.has_content, reply.marker_found) == ("", False, False)


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        (["Cafe", "\u0301 is open"], "Caf\u00e9 is open"),
        (["\u1100", "\u1161", "\u11a8"], "\uac01"),
        (["Hi \ud83d", "\ude00!"], "Hi \U0001f600!"),
        (["Hi \ud83d", " there"], "Hi \ufffd there"),
        (["Hi \ude00", "\ud83d"], "Hi \ufffd\ufffd"),
        (["a\x00b\u202e", "c\u2066d\ufeff"], "abcd"),
        (["\U0001f468\u200d", "\U0001f469\u200d\U0001f467"], "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        (["e" + "\u0323" * 50 + "x"], "\u1eb9" + "\u0323" * 49 + "x"),
    ],
)
def test_the_rule_for_texts_holds_across_chunks(chunks: list[str], said: str) -> None:
    reply = ReplyFilter()
    assert "".join([*map(reply.feed, chunks), reply.finish()]) == said


@pytest.mark.parametrize(
    "part",
    [
        '{"',
        "functions.",
        "```json\n",
        "e\u0301",
        "\u0301",
        "\ud83d",
        "[",
        " ",
        "<",
        "[[no ",
        "<think>",
        "* ",
        "</think>",
        "[[no answer ",
        "\\",
    ],
)
def test_the_time_is_linear(part: str) -> None:
    started = time.thread_time()
    read(part * (16_000 // len(part)), 7)
    assert time.thread_time() - started < 2
