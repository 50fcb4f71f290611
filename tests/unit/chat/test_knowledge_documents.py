"""Reading of documents, and their splitting, comparing and naming."""

from __future__ import annotations

import gzip
import io
import time
import zipfile
from collections.abc import AsyncIterator

import pytest
from docx import Document
from pypdf import PdfReader, PdfWriter

from parley.chat.knowledge_sources.changes import MAX_CHANGES, find_changes
from parley.chat.knowledge_sources.errors import DocumentError, KnowledgeFileTypeNotAllowed
from parley.chat.knowledge_sources.extraction.charsets import decode
from parley.chat.knowledge_sources.extraction.extractor import WorkerExtractor
from parley.chat.knowledge_sources.extraction.files import read_csv, read_docx, read_markdown, read_pdf, read_text
from parley.chat.knowledge_sources.extraction.html import read_html
from parley.chat.knowledge_sources.extraction.model import ReadRequest
from parley.chat.knowledge_sources.extraction.sitemaps import read_sitemap
from parley.chat.knowledge_sources.file_types import find_document_type
from parley.chat.knowledge_sources.model import Content, Section, SectionChange
from parley.chat.knowledge_sources.splitting import count_words, split_section
from parley.chat.knowledge_sources.urls import is_same_site, may_be_page, normalize_url

PAGE = """<!doctype html><html lang="de-AT"><head><title>Versand &amp; Lieferung</title><base href="/hilfe/">
<link rel=canonical href="/versand"></head><body><header>Shop</header><nav><a href="/a?utm_source=x#f">A</a></nav>
<main><h1>Versand</h1><p>Wir <b>liefern</b> nach <a href="b.html">Europa</a>.</p>Rest<br>mehr
<h2>Preise</h2><table><tr><th>Land</th><td>Preis</td></tr><tr><td>AT</td><td><p>5 &euro;</p></td></tr></table>
<ul><li>eins</li><li>zwei</li></ul><h3><span>Insel</span> X</h3><p>zehn</p><script>alert(1)</script>
<h2>Ende</h2><p hidden>geheim</p><p>Schluss</p><a rel="nofollow" href="/n">n</a><a href="mailto:a@b.c">m</a></main>
<footer>Impressum</footer></body></html>"""


def sections(content: Content) -> list[tuple[tuple[str, ...], str]]:
    return [(section.heading, section.text) for section in content.sections]


def make_pdf(*pages: str, password: str = "", bookmark: str = "") -> bytes:
    """Return a PDF file with a line of text on each page."""
    objects = [b"<</Type/Catalog/Pages 2 0 R/Lang(en-GB)>>", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = []
    for text in pages:
        content = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
        page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>/Contents {} 0 R>>"
        objects.append(page.format(len(objects)).encode())
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(kids)}>>".encode()
    body = b"%PDF-1.7\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    body += b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)
    if not password and not bookmark:
        return body
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(body)))
    if bookmark:
        writer.add_outline_item(title=bookmark, page_number=1)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def make_docx() -> bytes:
    document = Document()
    document.add_heading("Guarantee", level=1)
    document.add_paragraph("Two years.")
    document.add_heading("Parts", level=2)
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "Battery", "One year"
    document.core_properties.title = "Guarantees"
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("word/document.xml", bytes(100 * 2**20))
    return out.getvalue()


def test_a_page_is_read_below_its_headings_without_what_surrounds_it() -> None:
    read = read_html(PAGE.encode(), ReadRequest("html", url="https://shop.test/hilfe/versand.html"))
    assert (read.content.title, read.content.language) == ("Versand & Lieferung", "de-AT")
    assert sections(read.content) == [
        (("Versand",), "Wir liefern nach Europa.\nRest\nmehr"),
        (("Versand", "Preise"), "Land | Preis\nAT | 5 €\neins\nzwei"),
        (("Versand", "Preise", "Insel X"), "zehn"),
        (("Versand", "Ende"), "Schluss\nnm"),
    ]
    assert read.canonical == "https://shop.test/versand"
    assert read.links == ("https://shop.test/a", "https://shop.test/hilfe/b.html")
    deep = "<div>" * 3000 + "<p>text</p>"
    assert sections(read_html(deep.encode(), ReadRequest("html")).content) == [((), "text")]


def test_texts_are_decoded_although_they_are_declared_wrongly() -> None:
    assert decode("Größe".encode("cp1252"), "utf-8") == "Größe"
    assert decode("Größe".encode(), "nonsense") == "Größe"
    assert decode("цена".encode("utf-16"), "latin-1") == "цена"
    assert decode(b"<meta charset=windows-1251>" + "цена".encode("cp1251")).endswith("цена")
    assert decode("– €".encode("cp1252"), "iso-8859-1") == "– €"


def test_files_are_read_with_their_headings() -> None:
    pdf = read_pdf(make_pdf("First page.", "Second page.", bookmark="Chapter 2"), ReadRequest("pdf", "a.pdf")).content
    assert (pdf.title, pdf.language) == ("a.pdf", "en-GB")
    assert sections(pdf) == [((), "First page."), (("Chapter 2",), "Second page.")]
    docx = read_docx(make_docx(), ReadRequest("docx", "b.docx")).content
    assert docx.title == "Guarantees"
    assert sections(docx) == [(("Guarantee",), "Two years."), (("Guarantee", "Parts"), "Battery | One year")]
    markdown = read_markdown(b"# A\n\ntext *x*\n\n## B\n\n- one\n- two\n", ReadRequest("markdown", "c.md")).content
    assert sections(markdown) == [(("A",), "text x"), (("A", "B"), "one\ntwo")]
    assert sections(read_text("a\nb\n\nc".encode("utf-16"), ReadRequest("text", "d.txt")).content) == [((), "a b\nc")]
    table = 'Question\tAnswer\nOpen?\t"Yes,\nalways"\n\t\nClosed?\tNo\n'
    assert sections(read_csv(table.encode(), ReadRequest("csv", "e.csv")).content) == [
        (("Open?",), "Yes,\nalways"),
        (("Closed?",), "No"),
    ]


@pytest.mark.parametrize(
    ("read", "data", "code"),
    [
        (read_pdf, b"%PDF-1.7\nnothing", "damaged"),
        (read_pdf, make_pdf("secret", password="x"), "encrypted"),
        (read_pdf, make_pdf(""), "no_text"),
        (read_docx, b"PK\x03\x04broken", "damaged"),
        (read_docx, zip_bomb(), "unpacks_too_large"),
        (read_csv, b'a,b\n"x', "damaged"),
        (read_csv, b"only one column", "column_missing"),
        (read_text, b" \n", "no_text"),
        (read_text, b"x\n\n" * 10 + b"long " * 500_000, "too_much_text"),
        (read_html, b"<nav>menu</nav>", "no_text"),
    ],
)
def test_what_cannot_be_read_has_a_clear_error(read: object, data: bytes, code: str) -> None:
    with pytest.raises(DocumentError) as raised:
        read(data, ReadRequest("text", "x"))  # type: ignore[operator]
    assert raised.value.code == code


def test_sitemaps_are_read_without_expanding_entities() -> None:
    plain = b"https://a.test/1\r\nhttps://a.test/2\n"
    assert read_sitemap(gzip.compress(plain)).pages == ("https://a.test/1", "https://a.test/2")
    entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><urlset><url><loc>&e;</loc></url>'
    xml = entity + b"<url><loc> https://a.test/?a=1&amp;b=2 </loc><x><loc>no</loc></x></url></urlset>"
    assert read_sitemap(xml).pages == ("https://a.test/?a=1&b=2",)
    for data, code in ((b"<html></html>", "no_sitemap"), (b"\x1f\x8bx", "damaged")):
        with pytest.raises(DocumentError) as raised:
            read_sitemap(data)
        assert raised.value.code == code


@pytest.fixture
async def extractor() -> AsyncIterator[WorkerExtractor]:
    extractor = WorkerExtractor(timeout_seconds=20)
    yield extractor
    await extractor.stop()


async def test_a_document_that_takes_all_memory_is_refused_and_the_next_one_is_read(
    extractor: WorkerExtractor,
) -> None:
    huge = b"<p>x" * (80 * 2**20 // 4)
    with pytest.raises(DocumentError) as raised:
        await extractor.read(huge, ReadRequest("html", "huge"))
    assert raised.value.code in ("too_complex", "too_much_text")
    read = await extractor.read(PAGE.encode(), ReadRequest("html", "page"))
    assert read.content.title == "Versand & Lieferung"


def test_the_content_of_a_file_tells_its_type() -> None:
    assert find_document_type("x.txt", b"%PDF-1.4") == "pdf"
    assert find_document_type("x.pdf", make_docx()) == "docx"
    assert find_document_type("x.txt", b"\xef\xbb\xbf <!DOCTYPE html>") == "html"
    assert find_document_type("README.MD", b"# x") == "markdown"
    assert find_document_type("x", "ü".encode("utf-16")) == "text"
    for data in (b"\x7fELF\x00", b"PK\x03\x04xl/workbook.xml", b"\x00\x01"):
        with pytest.raises(KnowledgeFileTypeNotAllowed):
            find_document_type("x.txt", data)


def test_passages_have_120_to_220_words_and_keep_sentences_and_paragraphs_together() -> None:
    sentence = "one two three four five six seven eight nine ten."
    paragraph = " ".join([sentence] * 9)
    text = "\n".join([paragraph] * 6)
    passages = split_section(Section(("A",), text))
    assert [count_words(passage) for passage in passages] == [180, 180, 180]
    long = split_section(Section((), " ".join([sentence] * 50)))
    assert [count_words(passage) for passage in long] == [120, 120, 120, 140]
    assert all(passage.endswith("ten.") for passage in long)
    assert "".join(long).count("one") == 50
    assert split_section(Section((), "Short.")) == ["Short."]
    japanese = split_section(Section((), "これは短い文です。" * 100))
    assert len(japanese) > 1
    assert all(count_words(passage) <= 220 for passage in japanese)
    assert "".join(split_section(Section((), "x" * 5000))) == "x" * 5000
    joined = split_section(Section((), f"{paragraph}\n{paragraph}\nThe end."))
    assert [count_words(passage) for passage in joined] == [182]


def test_changes_are_found_by_section() -> None:
    before = Content("T", "en", (Section(("A",), "x\ny"), Section(("B",), "old"), Section(("C",), "same")))
    after = Content("T", "en", (Section(("A",), "x\n--z"), Section(("C",), "same"), Section(("D",), "new")))
    assert find_changes(before, after) == [
        SectionChange("changed", ("A",), [" x", "-y", "+--z"]),
        SectionChange("added", ("D",), ["+new"]),
        SectionChange("removed", ("B",), ["-old"]),
    ]
    assert [change.kind for change in find_changes(None, after)] == ["added", "added", "added"]


def test_of_many_changes_only_those_that_are_shown_are_compared() -> None:
    before, after = (
        Content("T", "en", tuple(Section((str(number),), "\n".join(lines)) for number in range(6000)))
        for lines in ("ab" * 20, "baa" * 13)
    )
    started = time.process_time()
    assert len(find_changes(before, after)) == MAX_CHANGES
    assert time.process_time() - started < 0.8


def test_addresses_have_one_form() -> None:
    for text, expected in {
        "HTTPS://Shop.Test:443/a b?utm_source=x&q=1#part": "https://shop.test/a%20b?q=1",
        "http://bücher.test./": "http://xn--bcher-kva.test/",
        "https://shop.test": "https://shop.test/",
        "https://shop.test/%2Fä?": "https://shop.test/%2F%C3%A4",
        "https://user:pw@shop.test/": None,
        "ftp://shop.test/": None,
        "javascript:alert(1)": None,
        "https://[::1": None,
        "https://shop.test/" + "x" * 2000: None,
    }.items():
        assert normalize_url(text) == expected
    assert normalize_url("../b?x", "https://shop.test/a/c/") == "https://shop.test/a/b?x="
    assert is_same_site("http://www.shop.test/x", "https://shop.test/")
    assert not is_same_site("https://shop.test:8443/", "https://shop.test/")
    assert not is_same_site("https://shop.test.evil.example/", "https://shop.test/")
    assert may_be_page("https://shop.test/a.html?x=.png")
    assert not may_be_page("https://shop.test/a.PNG")
