"""Files of every format, made as small as they can be."""

import io
import zipfile
from collections.abc import Sequence

import docx


def make_pdf(pages: Sequence[Sequence[tuple[str, int]]], title: str = "") -> bytes:
    """A PDF whose pages hold lines of (text, letter size), from top to bottom."""
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", font]
    kids = []
    for page in pages:
        height, drawn = 800.0, []
        for text, size in page:
            height -= size * (1.2 if text else 1)
            escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            drawn.append(f"BT /F1 {size} Tf 1 0 0 1 50 {height:.1f} Tm ({escaped}) Tj ET" if text else "")
        stream = "\n".join(drawn)
        objects.append(f"<< /Length {len(stream.encode('cp1252'))} >>\nstream\n{stream}\nendstream")
        kids.append(f"{len(objects) + 1} 0 R")
        resources = "<< /Font << /F1 3 0 R >> >>"
        box = "[0 0 600 850]"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Resources {resources} /Contents {len(objects)} 0 R >>"
        )
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    objects.append(f"<< /Title ({title}) >>")
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n{content}\nendobj\n".encode("cp1252"))
    table = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write("".join(f"{place:010} 00000 n \n" for place in places).encode())
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>"
    out.write(f"trailer\n{trailer}\nstartxref\n{table}\n%%EOF\n".encode())
    return out.getvalue()


def make_word() -> bytes:
    """A Word file with a title, headings, two lists, a table and hidden text."""
    word = docx.Document()
    word.core_properties.title = "An old title"
    word.add_heading("Late fees", 0)
    word.add_paragraph("We charge £5 once.").add_run(" Hidden.").font.hidden = True
    word.add_heading("How to pay", 1)
    word.add_paragraph("To pay:")
    for step in ("Open the app.", "Choose Pay now."):
        word.add_paragraph(step, style="List Number")
    word.add_paragraph("You can use:")
    word.add_paragraph("a card", style="List Bullet")
    word.add_paragraph("of any bank", style="List Bullet 2")
    table = word.add_table(rows=2, cols=2)
    for row, cells in zip(table.rows, (("Fee", "When"), ("£5", "late | unpaid")), strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    out = io.BytesIO()
    word.save(out)
    return out.getvalue()


def make_zip_bomb() -> bytes:
    """A Word file of some kilobytes that unpacks to 150 MB."""
    out = io.BytesIO(make_word())
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as packed, packed.open("word/media/image1.bmp", "w") as part:
        for _ in range(150):
            part.write(bytes(1_000_000))
    return out.getvalue()
