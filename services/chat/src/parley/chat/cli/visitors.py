"""`parley visitor`: export or erase a visitor's personal data, of any tenant."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import click
import orjson

from parley.chat.audit.model import AuditActor
from parley.chat.cli.context import CLIENT_IP, CommandContext, open_context
from parley.chat.files.model import StoredFile
from parley.chat.privacy.model import DataCounts
from parley.chat.privacy.schemas import serialize_counts, serialize_export
from parley.chat.settings import ChatSettings
from parley.chat.visitors.errors import VisitorNotFound
from parley.chat.visitors.model import DataSubject
from parley.common.cli import CommandError, CommandResult, async_command, confirm, read_settings


def _subject_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--email", metavar="ADDRESS", help="Every visitor of the site who gave this address."),
        click.option("--session", metavar="HANDLE", help="The sess_… that the panel and the API show for a visitor."),
        click.option(
            "--site", "site_id", type=int, required=True, metavar="ID", help="As `parley site list` shows it."
        ),
    ):
        function = option(function)
    return function


@async_command(
    "visitor export",
    "write everything that all services store about a visitor",
    details="One JSON document. All services have to be running: an export is complete, or it fails.",
)
@_subject_options
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write to a file; FILE.zip contains the document, the images and the files.",
)
async def export(site_id: int, session: str | None, email: str | None, output: Path | None) -> CommandResult:
    _require_either(session, email)
    async with open_context(read_settings(ChatSettings)) as context:
        subjects = await _find_subjects(context, site_id, session, email)
        await context.connect_broker()
        exports = [await context.personal_data.export(_actor(subject), subject) for subject in subjects]
        document = {"visitors": [serialize_export(one).model_dump(mode="json") for one in exports]}
        text = orjson.dumps(document, option=orjson.OPT_INDENT_2)
        if output is None:
            return CommandResult(document, text.decode())
        images = [name for one in exports for name in one.stored.images]
        files = [file for one in exports for file in one.stored.files]
        content = await _build_archive(context, text, images, files) if output.suffix == ".zip" else text
    _write_private_file(output, content)
    data = {"file": str(output), "visitors": len(exports), "images": len(images), "files": len(files)}
    return CommandResult(data, f"Wrote {len(exports)} visitor(s) to {output}.")


async def _build_archive(
    context: CommandContext, document: bytes, images: Sequence[str], files: Sequence[StoredFile]
) -> bytes:
    """Zip the document with the images and files that still exist."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("export.json", document)
        for name in images:
            image = await context.personal_data.read_image(name)
            if image is not None:
                zipped.writestr(f"images/{name}", image)
        for file in files:
            chunks = await context.personal_data.read_file(file)
            if chunks is not None:
                with zipped.open(f"files/{file.id}/{file.name}", "w") as entry:
                    async for chunk in chunks:
                        entry.write(chunk)
    return archive.getvalue()


def _write_private_file(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read. Raises CommandError if it exists or cannot be written."""
    try:
        with path.open("xb") as file:
            path.chmod(0o600)
            file.write(content)
    except FileExistsError:
        raise CommandError(f"{path} exists already") from None
    except OSError as exc:
        raise CommandError(f"{path} cannot be written: {exc.strerror}") from None


@async_command(
    "visitor erase",
    "erase everything that all services store about a visitor, for good",
    details="Services that are down erase their part when they are back. docs/operations.md says what expires instead.",
)
@_subject_options
@click.option("--dry-run", is_flag=True, help="Count what chat stores, and erase nothing.")
@click.option("--yes", "assume_yes", is_flag=True, help="Do not ask for confirmation.")
async def erase(site_id: int, session: str | None, email: str | None, dry_run: bool, assume_yes: bool) -> CommandResult:
    _require_either(session, email)
    async with open_context(read_settings(ChatSettings)) as context:
        subjects = await _find_subjects(context, site_id, session, email)
        counted = [(subject, await context.personal_data.count(subject)) for subject in subjects]
        if dry_run:
            return _to_result(counted, "would be erased.")
        if all(counts.is_empty for _, counts in counted):
            await context.connect_broker()
        if not assume_yes:
            confirm(f"{_format_counts(counted)}\nThis cannot be undone, except from backups.")
        erased = [(subject, await context.personal_data.erase(_actor(subject), subject)) for subject in subjects]
    return _to_result(
        erased, "erased.\nThe other services follow within about a minute, if chat is running to publish the event."
    )


def _require_either(session: str | None, email: str | None) -> None:
    if (session is None) == (email is None):
        raise click.UsageError("Exactly one of '--session' and '--email' is required.")


async def _find_subjects(
    context: CommandContext, site_id: int, session: str | None, email: str | None
) -> Sequence[DataSubject]:
    """Find the visitors that the options name. Raises CommandError, VisitorNotFound."""
    if email is not None:
        subjects = await context.personal_data.find_subjects_by_email(site_id, email)
        if not subjects:
            raise CommandError(f"no visitor gave that address on site {site_id}")
        return subjects
    subject = await context.personal_data.find_subject(site_id, session or "")
    if subject is None:
        raise VisitorNotFound(f"There is no site {site_id}.")
    return [subject]


def _actor(subject: DataSubject) -> AuditActor:
    return AuditActor(subject.tenant_id, client_ip=CLIENT_IP)


def _to_result(counted: Sequence[tuple[DataSubject, DataCounts]], outcome: str) -> CommandResult:
    data: list[dict[str, Any]] = [
        {"session_id": subject.session, **serialize_counts(counts).model_dump()} for subject, counts in counted
    ]
    return CommandResult(data, f"{_format_counts(counted)} {outcome}")


def _format_counts(counted: Sequence[tuple[DataSubject, DataCounts]]) -> str:
    return "\n".join(f"{subject.session}: {_format_line(counts)}" for subject, counts in counted)


def _format_line(counts: DataCounts) -> str:
    return ", ".join(f"{number} {name}" for name, number in asdict(counts).items() if name != "visitors")


COMMANDS = (export, erase)
