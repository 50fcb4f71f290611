"""The shell of `parley`: what it offers, how it answers, and how it fails."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence

import pytest

from parley.common.cli.main import (
    Answer,
    Command,
    Offer,
    Refused,
    ask_secret,
    confirm,
    offers,
    parser_of,
    read_settings,
    run,
    table,
)
from parley.common.errors import Unavailable, ValidationFailed
from parley.common.runtime.settings import ServiceSettings


async def count(wanted: argparse.Namespace) -> Answer:
    return Answer({"most": wanted.most}, f"counted to {wanted.most}")


def _most(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--most", type=int, default=3)


COUNT = Command("beans count", "count beans", count, _most, "Slowly.")


def failing(problem: BaseException) -> Offer:
    async def fail(_: argparse.Namespace) -> Answer:
        raise problem

    return Offer("shop", commands=(Command("fail", "fail", fail),))


def ran(offered: Offer, *arguments: str) -> int:
    return run(parser_of([offered]).parse_args(arguments))


def test_a_command_answers_with_text_or_with_data(capsys: pytest.CaptureFixture[str]) -> None:
    offered = Offer("shop", commands=(COUNT,))
    assert ran(offered, "beans", "count") == 0
    assert capsys.readouterr().out == "counted to 3\n"
    assert ran(offered, "beans", "count", "--most", "5", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"most": 5}


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (Refused("no beans left"), "no beans left"),
        (Unavailable("The store is closed."), "The store is closed."),
        (ValidationFailed({"most": "is too much"}), "most is too much"),
        (ValueError("first line\nsecond line"), "fail failed: ValueError: first line"),
    ],
)
def test_what_goes_wrong_is_one_line_without_a_traceback(
    problem: BaseException, sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PARLEY_LOG_LEVEL", raising=False)
    assert ran(failing(problem), "fail") == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"parley: {sentence}\n")


def test_a_traceback_is_shown_to_who_asks_for_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_LOG_LEVEL", "debug")
    assert ran(failing(ValueError("beans")), "fail") == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_answer_that_says_failed_is_status_1_and_still_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    async def look(_: argparse.Namespace) -> Answer:
        return Answer({"faults": 2}, "2 faults", failed=True)

    assert ran(Offer("shop", commands=(Command("look", "look", look),)), "look") == 1
    assert capsys.readouterr().out == "2 faults\n"


@pytest.mark.parametrize("arguments", [[], ["beans"], ["beans", "eat"], ["beans", "count", "--most", "many"]])
def test_what_is_not_understood_is_status_2(arguments: Sequence[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parser_of([Offer("shop", commands=(COUNT,))]).parse_args(arguments)
    assert left.value.code == 2


@pytest.mark.parametrize("arguments", [["--help"], ["beans", "--help"], ["beans", "count", "--help"]])
def test_help_says_what_there_is(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parser_of([Offer("shop", commands=(COUNT,))]).parse_args(arguments)
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert "ount beans" in shown
    assert shown.startswith(f"usage: parley{''.join(f' {word}' for word in arguments[:-1])} ")


def test_one_command_offered_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="beans count"):
        parser_of([Offer("shop", commands=(COUNT,)), Offer("kitchen", commands=(COUNT,))])


def test_everything_installed_is_offered_once() -> None:
    found = offers()
    assert [offer.service for offer in found] == ["chat", "common", "gateway", "notify", "presence", "translate"]
    names = {command.name for offer in found for command in offer.commands}
    assert {
        "owner create",
        "site create",
        "site list",
        "api-key create",
        "api-key list",
        "api-key revoke",
        "visitor export",
        "visitor erase",
        "dead-letters list",
        "dead-letters replay",
        "config check",
        "environment",
    } <= names
    parser_of(found)


def test_a_secret_is_the_first_line_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("hush \nmore\n"))
    assert ask_secret("Password") == "hush "


def test_where_nobody_is_asked_nothing_is_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    with pytest.raises(Refused, match="--yes"):
        confirm("Really?")


def test_all_faults_of_the_environment_are_told_at_once_and_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AMQP_URL", "PARLEY_IDENTITY_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AMQP_URL", "http://user:hush@rabbit")
    monkeypatch.setenv("PARLEY_PORT", "no-number")
    with pytest.raises(Refused) as refused:
        read_settings(ServiceSettings)
    said = str(refused.value)
    assert all(name in said for name in ("AMQP_URL", "PARLEY_IDENTITY_SECRET", "PARLEY_PORT"))
    assert "hush" not in said
    assert "no-number" not in said


def test_a_table_is_as_wide_as_its_cells() -> None:
    assert table(("a", "long"), [("wide", 1)]) == "a     long\nwide  1"
