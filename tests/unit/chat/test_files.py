"""Files: their type by content, their names, and the parts that are asked for."""

from __future__ import annotations

import random

import pytest

from parley.chat.files.errors import FileTypeNotAllowed
from parley.chat.files.model import FilePolicy, StoredFile, Uploader
from parley.chat.files.names import MAX_NAME_LENGTH, sanitize_name
from parley.chat.files.ranges import ByteRange, RangeNotSatisfiable, parse_range
from parley.chat.files.sniffing import PDF, TEXT, ContentSniffer
from parley.chat.sites.chatbot import FilesSettings
from support.file_samples import REFUSED, SAMPLES


def sniff(data: bytes, chunk_bytes: int = 65_536) -> tuple[str, str]:
    sniffer = ContentSniffer()
    for start in range(0, len(data), chunk_bytes):
        sniffer.feed(data[start : start + chunk_bytes])
    found = sniffer.finish()
    return found.kind, found.content_type


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("chunk_bytes", [65_536, 7])
def test_the_type_is_found_in_the_content_however_it_arrives(name: str, chunk_bytes: int) -> None:
    data, kind, content_type = SAMPLES[name]
    assert sniff(data[:200_000], chunk_bytes) == (kind, content_type)


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("chunk_bytes", [65_536, 5])
def test_other_and_damaged_content_is_refused(name: str, chunk_bytes: int) -> None:
    with pytest.raises(FileTypeNotAllowed):
        sniff(REFUSED[name], chunk_bytes)


def test_binary_content_without_a_signature_is_refused_before_its_end() -> None:
    sniffer = ContentSniffer()
    with pytest.raises(FileTypeNotAllowed):
        sniffer.feed(random.Random(1).randbytes(8192))


def test_a_large_file_is_not_held_in_memory() -> None:
    sniffer = ContentSniffer()
    sniffer.feed(b"%PDF-1.7\n")
    for _ in range(200):
        sniffer.feed(bytes(65_536))
    sniffer.feed(b"\n%%EOF")
    assert sniffer.finish() is PDF
    assert len(sniffer._tail) + len(sniffer._head) < 1_000_000


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("report.pdf", "report.pdf"),
        ("Überblick 2026.PDF", "Überblick 2026.PDF"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\jane\\report.pdf", "report.pdf"),
        ("report.pdf.exe", "report.pdf.exe.pdf"),
        ("page.html", "page.html.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe.pdf"),
        ('a"b\r\nX-Evil: 1.pdf', "a_bX-Evil_ 1.pdf"),
        ("\x00\x1f.pdf", "file.pdf"),
        ("  ..hidden.. .pdf ", "hidden.pdf"),
        ("con.pdf", "_con.pdf"),
        ("", "file.pdf"),
        ("🧾 Rechnung.pdf", "🧾 Rechnung.pdf"),
        ("می‌خواهم.pdf", "می‌خواهم.pdf"),
        ("a%2e%2e;b.pdf", "a_2e_2e_b.pdf"),
    ],
)
def test_names_have_no_path_no_control_characters_and_a_fitting_extension(given: str, shown: str) -> None:
    assert sanitize_name(given, PDF) == shown


def test_names_are_bounded_in_characters_and_bytes() -> None:
    for name in ("x" * 5000, "漢" * 5000, "👩‍👩‍👧" * 900):
        shown = sanitize_name(f"{name}.pdf", PDF)
        assert len(shown) <= MAX_NAME_LENGTH
        assert len(shown.encode()) <= 240
        assert shown.endswith(".pdf")


def test_a_text_is_never_saved_as_a_page() -> None:
    assert sanitize_name("page.html", TEXT) == "page.html.txt"
    assert sanitize_name("prices.csv", TEXT) == "prices.csv"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-", ByteRange(0, 100)),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=10-19", ByteRange(10, 10)),
        ("bytes=90-1000", ByteRange(90, 10)),
        ("bytes=-5", ByteRange(95, 5)),
        ("bytes=-500", ByteRange(0, 100)),
        ("bytes=0-1,5-6", None),
        ("bytes=20-10", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("items=0-5", None),
        ("bytes=" + "9" * 40 + "-", None),
    ],
)
def test_single_ranges_are_understood_and_others_ignored(header: str | None, expected: ByteRange | None) -> None:
    assert parse_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=500-600", "bytes=-0"])
def test_a_range_after_the_end_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(header, 100)


def test_a_site_can_only_narrow_the_limits_of_the_installation() -> None:
    limits = FilePolicy(frozenset({"pdf", "text"}), 1000)
    site = FilesSettings(kinds=("pdf", "video"), max_bytes=2000)
    assert limits.narrow(site) == FilePolicy(frozenset({"pdf"}), 1000)
    assert limits.narrow(FilesSettings(max_bytes=10)).max_bytes == 10


def test_a_url_contains_the_encoded_name() -> None:
    file = StoredFile("a" * 32, Uploader(1), "Größe 1 #2.pdf", 5, "pdf", "application/pdf", "")
    shown = file.to_schema("https://chat.example.com/files/")
    assert shown.url == f"https://chat.example.com/files/{'a' * 32}/Gr%C3%B6%C3%9Fe%201%20%232.pdf"
