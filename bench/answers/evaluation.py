"""Evaluates retrieval on the set: what is found, answered, and declined."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.answers.calibration import CachingModel, build_index, embed, small_sites
from bench.answers.dataset import Question, divide, load_passages, load_questions
from parley.chat.handoff_requests import is_greeting, is_negated, is_thanks, requests_human
from parley.chat.retrieval.index import SiteIndex
from parley.chat.retrieval.intents import recognize_meaning, recognize_spelling
from parley.chat.retrieval.local_model import LocalModel
from parley.chat.retrieval.model import Findings, Intent, Passage
from parley.chat.retrieval.text import split_clauses


@dataclass(slots=True)
class Score:
    """Shares of the questions they concern, and the processor time of a question."""

    recall_at_3: float = 0
    right: float = 0
    wrong: float = 0
    answered: float = 0
    declined: float = 0
    both_facts: float = 0
    small_answered: float = 0
    """By a site with three entries, one of which answers the question."""
    small_declined: float = 0
    """By a site with three entries, none of which answers it."""
    small_talk: float = 0
    requests_for_person: float = 0
    cpu_seconds: float = 0
    wall_seconds: float = 0
    peak_megabytes: float = 0
    misses: list[str] = field(default_factory=list)
    """A line for each question that was not treated as it should be."""


def evaluate(*, words: bool, meaning: bool, subject: str = "") -> Score:
    """On the half of the questions that calibration has not seen, or on all questions of another `subject`."""
    chosen = load_questions(subject) if subject else divide(load_questions())[1]
    passages = load_passages(subject)
    model = LocalModel()
    index = build_index(model, words=words, meaning=meaning, passages=passages)
    score = Score()
    started, started_cpu = time.perf_counter(), time.process_time()
    found = {question: _search(index, model if meaning else None, question.text) for question in chosen}
    score.cpu_seconds = (time.process_time() - started_cpu) / len(chosen)
    score.wall_seconds = (time.perf_counter() - started) / len(chosen)
    score.peak_megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answerable = [question for question in chosen if question.kind == "answer"]
    unknown = [question for question in chosen if question.kind == "unknown"]
    two = [question for question in chosen if question.kind == "two"]
    score.recall_at_3 = _share(answerable, lambda one: one.passage_ids[0] in _ids(found[one])[:3])
    score.right = _share(answerable, lambda one: _answers(found[one]) == [one.passage_ids[0]])
    score.answered = _share(answerable, lambda one: bool(_answers(found[one])))
    score.wrong = _share(answerable, lambda one: bool(set(_answers(found[one])) - set(one.passage_ids)))
    score.declined = _share(unknown, lambda one: not _answers(found[one]))
    score.both_facts = _share(two, lambda one: set(_answers(found[one])) == set(one.passage_ids))
    score.small_answered, score.small_declined = _try_small_sites(
        CachingModel(), small_sites(passages), answerable, words=words, meaning=meaning
    )
    small_talk = [question for question in chosen if question.kind in ("greeting", "thanks")]
    persons = [question for question in chosen if question.kind == "person"]
    intents = {one: find_intent(model if meaning else None, one.text) for one in chosen if not _answers(found[one])}
    score.small_talk = _share(small_talk, lambda one: intents.get(one) == one.kind)
    score.requests_for_person = _share(persons, lambda one: intents.get(one) == one.kind)
    for question in (*answerable, *two, *unknown):
        if set(_answers(found[question])) != set(question.passage_ids):
            best = found[question].passages[0] if found[question].passages else None
            near = f"{best.passage.id} {best.confidence:.2f}" if best else "nothing"
            score.misses.append(
                f"{question.kind} {question.text} | {' '.join(question.passage_ids)} | "
                f"{' '.join(_answers(found[question])) or 'declined'} | nearest {near}"
            )
    score.misses += [f"{q.kind} {q.text}" for q in small_talk + persons if intents.get(q) != q.kind]
    false = [q for q in answerable + two + unknown if intents.get(q)]
    score.misses += [f"{q.kind} {q.text} taken for small talk or a request for a person" for q in false]
    return score


def find_intent(model: LocalModel | None, text: str) -> Intent | None:
    """As a reply finds it: by words, and else by meaning, or by spelling without a model."""
    if requests_human(text):
        return "person"
    if is_greeting(text) or is_thanks(text):
        return "greeting" if is_greeting(text) else "thanks"
    intent = recognize_meaning(model.embed_passages([text])[0]) if model else recognize_spelling(text)
    return None if intent == "person" and is_negated(text) else intent


def _try_small_sites(
    model: LocalModel,
    parts: Sequence[Sequence[Passage]],
    questions: Sequence[Question],
    *,
    words: bool,
    meaning: bool,
) -> tuple[float, float]:
    sites = [build_index(model, words=words, meaning=meaning, passages=part) for part in parts]
    answered = declined = 0
    for number, question in enumerate(questions):
        own = next(one for one in sites if question.passage_ids[0] in {passage.id for passage in one.passages})
        other = [one for one in sites if one is not own][number % (len(sites) - 1)]
        embedder = model if meaning else None
        answered += _answers(_search(own, embedder, question.text)) == [question.passage_ids[0]]
        declined += not _answers(_search(other, embedder, question.text))
    return answered / len(questions), declined / len(questions)


def _search(index: SiteIndex, model: LocalModel | None, text: str) -> Findings:
    clauses = {clause: embed(model, clause) if model else None for clause in split_clauses(text)}
    return index.search(text, embed(model, text) if model else None, clauses, 4)


def _ids(findings: Findings) -> list[str]:
    return [found.passage.id for found in findings.passages]


def _answers(findings: Findings) -> list[str]:
    return [found.passage.id for found in findings.answers]


def _share(questions: Sequence[Question], condition: Callable[[Question], bool]) -> float:
    return sum(map(condition, questions)) / len(questions) if questions else 0.0
