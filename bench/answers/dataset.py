"""The set: passages, questions with the passages that answer them, and how it is divided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from parley.chat.retrieval.model import Passage

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Question:
    """A text of a visitor. `kind`: answer, two (facts), unknown, greeting, thanks, person or other."""

    language: str
    kind: str
    passage_ids: tuple[str, ...]
    text: str


def load_passages(subject: str = "") -> list[Passage]:
    """Of the shop and the software, or of another `subject`.

    "dental" and "city" are for development: features and the threshold may come from them. "blind" is only ever
    evaluated: features, weights and thresholds never come from it.
    """
    return [Passage(row[0], row[2], row[3], language=row[1]) for row in _read(f"{_prefix(subject)}passages.tsv")]


def load_questions(subject: str = "") -> list[Question]:
    """To the same `subject` as its passages."""
    return [
        Question(row[0], row[1], tuple(row[2].split()) if row[2] != "-" else (), row[3])
        for row in _read(f"{_prefix(subject)}questions.tsv")
    ]


def load_intents(*, held_out: bool = False) -> list[Question]:
    """Greetings, thanks, requests for a person, and other texts with their words. `held_out`: for the report only."""
    name = "intents_held_out.tsv" if held_out else "intents.tsv"
    return [Question(language, kind, (), text) for language, kind, text in _read(name)]


def load_parallel_sentences() -> list[list[str]]:
    """The same sentences in each of many languages."""
    return [row[1:] for row in _read("parallel.tsv")]


def divide(questions: Sequence[Question]) -> tuple[list[Question], list[Question]]:
    """The half for calibration and the half for the report: every other question of a kind and language."""
    return list(questions[::2]), list(questions[1::2])


def _prefix(subject: str) -> str:
    return f"{subject}_" if subject else ""


def _read(name: str) -> Iterator[list[str]]:
    for line in (_FOLDER / name).read_text("utf-8").splitlines():
        if not line.startswith("#"):
            yield line.split("\t")
