"""The difference between two contents of a document, section by section."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from itertools import islice

from parley.chat.knowledge_sources.model import Content, SectionChange

_MAX_COMPARED_LINES = 200
"""Of a section. Comparing takes time that grows with the cube of the lines: a longer one is shown as replaced."""
MAX_CHANGES = 200
"""That are shown of one document."""

Heading = tuple[str, ...]


def find_changes(before: Content | None, after: Content) -> list[SectionChange]:
    """Return the changes in the order of the new content, removed sections last, at most MAX_CHANGES.

    Takes seconds for a large document whose lines repeat: call it in a thread.
    """
    return list(islice(_iterate_changes(before, after), MAX_CHANGES))


def _iterate_changes(before: Content | None, after: Content) -> Iterator[SectionChange]:
    old, new = _texts_by_heading(before), _texts_by_heading(after)
    if before is not None and before.title != after.title:
        yield SectionChange("changed", (), [f"-{before.title}", f"+{after.title}"])
    for heading, lines in new.items():
        known = old.get(heading)
        if known is None:
            yield SectionChange("added", heading, [f"+{line}" for line in lines])
        elif known != lines:
            yield SectionChange("changed", heading, _compare(known, lines))
    for heading, lines in old.items():
        if heading not in new:
            yield SectionChange("removed", heading, [f"-{line}" for line in lines])


def _texts_by_heading(content: Content | None) -> Mapping[Heading, list[str]]:
    """The lines below each heading: sections of the same heading count as one."""
    texts: dict[Heading, list[str]] = {}
    for section in content.sections if content else ():
        texts.setdefault(section.heading, []).extend(section.text.split("\n"))
    return texts


def _compare(before: list[str], after: list[str]) -> list[str]:
    if len(before) > _MAX_COMPARED_LINES or len(after) > _MAX_COMPARED_LINES:
        return [*(f"-{line}" for line in before), *(f"+{line}" for line in after)]
    # Without the two lines that name the files.
    compared = list(difflib.unified_diff(before, after, n=1, lineterm=""))[2:]
    return [line for line in compared if not line.startswith("@@")]
