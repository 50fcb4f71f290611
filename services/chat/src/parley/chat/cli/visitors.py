"""`parley visitor`: what is kept of one visitor, exported or erased, whichever tenant's they are."""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson

from parley.chat.audit.service import Source
from parley.chat.cli.context import Office, opened
from parley.chat.conversations.errors import VisitorNotFound
from parley.chat.conversations.model import Subject
from parley.chat.privacy.handlers import erased_view, export_view
from parley.chat.privacy.service import Counts
from parley.chat.settings import ChatSettings
from parley.common.cli.main import Answer, Command, Refused, confirm, read_settings

_ROOM = "command line"


def _who(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--site", type=int, required=True, metavar="ID", help="as `parley site list` shows it")
    one = parser.add_mutually_exclusive_group(required=True)
    one.add_argument("--session", metavar="HANDLE", help="sess_…, as the panel and the API show a visitor")
    one.add_argument("--email", metavar="ADDRESS", help="everybody on the site who left this address")


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    _who(parser)
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write to a file; FILE.zip has the images beside the document"
    )


async def export(wanted: argparse.Namespace) -> Answer:
    async with opened(read_settings(ChatSettings)) as office:
        subjects = await _subjects(office, wanted)
        await office.connect()
        exports = [await office.personal_data.export(_source(subject), subject) for subject in subjects]
        document = {"visitors": [export_view(one).model_dump(mode="json") for one in exports]}
        text = orjson.dumps(document, option=orjson.OPT_INDENT_2)
        if wanted.output is None:
            return Answer(document, text.decode())
        names = [name for one in exports for name in one.kept.images]
        content = await _zipped(office, text, names) if wanted.output.suffix == ".zip" else text
    _write(wanted.output, content)
    data = {"file": str(wanted.output), "visitors": len(exports), "images": len(names)}
    return Answer(data, f"Wrote {len(exports)} visitor(s) to {wanted.output}.")


async def _zipped(office: Office, text: bytes, names: Sequence[str]) -> bytes:
    """The document, and the images that are there."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export.json", text)
        for name in names:
            image = await office.personal_data.image(name)
            if image is not None:
                archive.writestr(f"images/{name}", image)
    return packed.getvalue()


def _write(path: Path, content: bytes) -> None:
    """For nobody else's eyes, and never over a file that is there."""
    try:
        with path.open("xb") as file:
            path.chmod(0o600)
            file.write(content)
    except FileExistsError:
        raise Refused(f"{path} is there already") from None
    except OSError as exc:
        raise Refused(f"{path} cannot be written: {exc.strerror}") from None


def _erase_arguments(parser: argparse.ArgumentParser) -> None:
    _who(parser)
    parser.add_argument("--dry-run", action="store_true", help="count what chat holds, and erase nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")


async def erase(wanted: argparse.Namespace) -> Answer:
    async with opened(read_settings(ChatSettings)) as office:
        subjects = await _subjects(office, wanted)
        found = [(subject, await office.personal_data.count(subject)) for subject in subjects]
        if wanted.dry_run:
            return _answer(found, "would be erased")
        if not any(counts.anything for _, counts in found):
            await office.connect()
        if not wanted.yes:
            confirm(f"{_lines(found)}\nThis is erased for good, backups aside.")
        erased = [(subject, await office.personal_data.erase(_source(subject), subject)) for subject in subjects]
    more = (
        "\nThe other services erase theirs as they hear of it; all of it is done in about a minute, with chat running."
    )
    return _answer(erased, "erased", more)


async def _subjects(office: Office, wanted: argparse.Namespace) -> Sequence[Subject]:
    if wanted.email is not None:
        subjects = await office.personal_data.with_address(wanted.site, wanted.email)
        if not subjects:
            raise Refused(f"nobody has left that address on site {wanted.site}")
        return subjects
    subject = await office.personal_data.of_site(wanted.site, wanted.session)
    if subject is None:
        raise VisitorNotFound(f"There is no site {wanted.site}.")
    return [subject]


def _source(subject: Subject) -> Source:
    return Source(subject.tenant_id, address=_ROOM)


def _answer(found: Sequence[tuple[Subject, Counts]], done: str, more: str = "") -> Answer:
    data: list[dict[str, Any]] = [
        {"session_id": subject.session, **erased_view(counts).model_dump()} for subject, counts in found
    ]
    return Answer(data, f"{_lines(found)} {done}.{more}")


def _lines(found: Sequence[tuple[Subject, Counts]]) -> str:
    return "\n".join(f"{subject.session}: {_sentence(counts)}" for subject, counts in found)


def _sentence(counts: Counts) -> str:
    return ", ".join(f"{number} {name}" for name, number in asdict(counts).items() if name != "visitors")


COMMANDS = (
    Command(
        "visitor export",
        "write everything that is kept of a visitor, by all services",
        export,
        _export_arguments,
        "One JSON document. All services have to be running: an export is whole, or it is refused.",
    ),
    Command(
        "visitor erase",
        "erase everything that is kept of a visitor, by all services, for good",
        erase,
        _erase_arguments,
        "Services that are down erase theirs when they are back. docs/operations.md says what ages out instead.",
    ),
)
