"""`parley config check`: reads every installed service's settings, tells all faults at once, tries what they name."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import asdict, dataclass

from pydantic import ValidationError

from parley.common.cli.dependency_checks import BACKENDS
from parley.common.cli.main import Answer, Check, Command, Offer, Refused, offers
from parley.common.errors import ParleyError
from parley.common.runtime.settings import ServiceSettings, format_errors

_CHECK_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer. `what` is a variable or a part; secrets are in none of it."""

    service: str
    what: str
    ok: bool
    sentence: str


def _line(finding: Finding, services: list[str]) -> str:
    return f"{'ok   ' if finding.ok else 'FAULT'}  {finding.what}: {finding.sentence} ({', '.join(services)})"


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--offline", action="store_true", help="read the settings alone, reach for nothing")


async def check(wanted: argparse.Namespace) -> Answer:
    """Every fault of every installed service."""
    findings: list[Finding] = []
    tried: dict[tuple[str, str], Finding] = {}
    for offer in offers():
        if offer.settings is None:
            continue
        try:
            settings = offer.settings()
        except ValidationError as exc:
            findings += [
                Finding(offer.service, name, False, sentence) for name, sentence in format_errors(offer.settings, exc)
            ]
            continue
        findings.append(Finding(offer.service, "settings", True, "read"))
        if not wanted.offline:
            findings += await _reach(offer, settings, tried)
    if not findings:
        raise Refused("no service is installed here")
    same: dict[tuple[bool, str, str], list[Finding]] = {}
    for one in findings:
        same.setdefault((one.ok, one.what, one.sentence), []).append(one)
    faults = sum(not ok for ok, _, _ in same)
    lines = [_line(group[0], [one.service for one in group]) for group in same.values()]
    end = f"{faults} fault(s)" if faults else "No faults."
    data = {"ok": not faults, "findings": [asdict(finding) for finding in findings]}
    return Answer(data, "\n".join([*lines, end]), failed=bool(faults))


async def _reach(offer: Offer, settings: ServiceSettings, tried: dict[tuple[str, str], Finding]) -> list[Finding]:
    """Try what the settings name; an address that several services share is tried once."""
    findings = []
    for backend in BACKENDS:
        address = backend.address(settings)
        if address is None:
            continue
        known = tried.get((backend.name, address))
        if known is None:
            known = tried[backend.name, address] = await _tried(offer.service, backend.check, settings)
        findings.append(Finding(offer.service, known.what, known.ok, known.sentence))
    findings += [await _tried(offer.service, one, settings) for one in offer.checks]
    return findings


async def _tried(service: str, one: Check, settings: ServiceSettings) -> Finding:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return Finding(service, one.name, True, await one.run(settings))
    except (Refused, ParleyError) as exc:
        return Finding(service, one.name, False, str(exc))
    except TimeoutError:
        return Finding(service, one.name, False, f"did not answer within {_CHECK_SECONDS:.0f} s")
    except Exception as exc:
        # Drivers put addresses, and with them passwords, into what they say: its kind has to do.
        return Finding(service, one.name, False, f"failed: {type(exc).__name__}")


COMMANDS = (
    Command(
        "config check",
        "read the settings and try what they name: MongoDB, RabbitMQ, storage, the other services",
        check,
        _arguments,
        "Tells every fault at once, by the variable's name, and never a secret. Exit status 1 where there is one.",
    ),
)
