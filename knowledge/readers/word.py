"""Word documents (.docx): headings, lists and tables as Markdown; deleted and hidden text left out."""

import io
import re
import zipfile
from collections.abc import Iterator

import docx
from docx.document import Document as WordFile
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement

from knowledge.errors import FileRefused
from knowledge.readers.draft import NOTHING_STATED, Draft, Parsed, usable_title
from knowledge.readers.encoding import clean_text
from knowledge.readers.grid import draw_table
from knowledge.readers.markdown import take_title
from knowledge.readers.word_styles import Styles, heading_level

UNPACKED_BYTES = 100_000_000
MOST_PARTS = 5_000
OLD_OFFICE = b"\xd0\xcf\x11\xe0"
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
HIDDEN = (qn("w:del"), qn("w:moveFrom"), FALLBACK, qn("w:txbxContent"), qn("w:instrText"))
BREAKS = {qn("w:tab"): " ", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}


def parse_word(raw: bytes) -> Parsed:
    """The one document of a Word file. Raises FileRefused: protected, too large unpacked, damaged."""
    if raw.startswith(OLD_OFFICE):
        raise FileRefused("It is protected by a password or in the old .doc format: save it as .docx without a password.")
    _check_unpacked(raw)
    word = docx.Document(io.BytesIO(raw))
    text = clean_text("\n".join(_blocks(word)))
    title, body = take_title(text)
    stated = usable_title(clean_text(word.core_properties.title or ""))
    return Parsed(drafts=(Draft(text=body, title=title or stated),), remarks=(NOTHING_STATED,))


def _check_unpacked(raw: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, ValueError):
        raise FileRefused("It is damaged or not a Word document: open it in Word and save it again.") from None
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > UNPACKED_BYTES:
        raise FileRefused(f"It unpacks to more than {UNPACKED_BYTES / 1e6:.0f} MB: remove its pictures, or split it.")


def _blocks(word: WordFile) -> Iterator[str]:
    """The lines of the body: each block after an empty line, list items close together."""
    styles = Styles.of(word)
    in_list = False
    for element in _content(word.element.body):
        if element.tag == qn("w:tbl"):
            yield from ("", draw_table(_rows(element)))
            in_list = False
            continue
        text = _words(element)
        if not text:
            continue
        level, item = heading_level(element, styles), styles.marker(element)
        if level:
            yield from ("", f"{'#' * level} {' '.join(text.split())}")
        elif item:
            indent, marker = item
            lines = text.replace("\n", "  \n" + indent + " " * len(marker))
            yield from ([] if in_list else [""])
            yield f"{indent}{marker}{lines}"
        else:
            escaped = re.sub(r"\A(?=#{1,6}\s|>|\|)", r"\\", text)
            yield from ("", escaped.replace("\n", "  \n"))
        in_list = bool(item)


def _content(body: BaseOxmlElement) -> Iterator[BaseOxmlElement]:
    """Paragraphs and tables in order, those in content controls included, tables of contents not."""
    for element in body:
        if element.tag in {qn("w:p"), qn("w:tbl")}:
            yield element
        elif element.tag == qn("w:sdt") and not element.xpath(".//w:docPartGallery[contains(@w:val, 'Contents')]"):
            for content in element.findall(qn("w:sdtContent")):
                yield from _content(content)
        elif element.tag in {qn("w:ins"), qn("w:customXml")}:
            yield from _content(element)


def _words(paragraph: BaseOxmlElement) -> str:
    """The words a reader sees; bold ones marked where only part of the paragraph is bold."""
    pieces: list[str] = []
    waiting = list(reversed(paragraph))
    while waiting:
        element = waiting.pop()
        if element.tag in HIDDEN or (element.tag == qn("w:r") and element.xpath("./w:rPr/w:vanish[not(@w:val='0')]")):
            continue
        if element.tag == qn("w:t"):
            pieces.append(element.text or "")
        elif element.tag in BREAKS:
            pieces.append(BREAKS[element.tag])
        elif element.tag != qn("w:pPr"):
            waiting += reversed(element)
    return re.sub(r" *\n *", "\n", re.sub(r"[ \t]+", " ", "".join(pieces))).strip()


def _rows(table: BaseOxmlElement) -> list[list[str]]:
    return [
        [" ".join(_words(paragraph) for paragraph in cell.iter(qn("w:p"))) for cell in row.iterchildren(qn("w:tc"))]
        for row in table.iterchildren(qn("w:tr"))
    ]
