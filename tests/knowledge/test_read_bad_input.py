import io
import json
import os
import tempfile
from pathlib import Path

import pytest
from pypdf import PdfWriter

from knowledge.read import read_documents
from knowledge.readers.encoding import clean_text
from tests.knowledge.files import make_pdf, make_word, make_zip_bomb

GOOD = "The one good file."


def read_beside_a_good_file(folder, name, content):
    """The reason why the file was left out, after making sure that the good one was read."""
    (folder / "good.md").write_text(GOOD)
    (folder / name).write_bytes(content)
    reading = read_documents(folder)
    assert [document.text for document in reading.documents] == [GOOD]
    (skipped,) = reading.skipped
    assert skipped.path.name == name
    return skipped.reason


@pytest.mark.parametrize("name", ["a.md", "a.txt", "a.html", "a.pdf", "a.docx", "a.csv", "a.jsonl"])
@pytest.mark.parametrize("content", [b"", b" \n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_left_out_with_its_reason(tmp_path, name, content):
    assert "empty" in read_beside_a_good_file(tmp_path, name, content)


@pytest.mark.parametrize("content", [b"---\nid: a\n---\n", b"# Only a title\n"])
def test_an_article_without_text_is_left_out(tmp_path, content):
    assert "no text" in read_beside_a_good_file(tmp_path, "a.md", content)


@pytest.mark.parametrize("name", ["a.md", "a.txt", "a.html", "a.csv", "a.jsonl"])
@pytest.mark.parametrize(
    "content",
    [bytes(range(256)) * 20, b"\x00" * 5000, b"\x7fELF" + b"\x01" * 500, make_word(), b"%PDF-1.4 and so on"],
    ids=["every byte", "zeros", "program", "word", "pdf"],
)
def test_a_binary_file_under_a_text_name_is_left_out(tmp_path, name, content):
    assert read_beside_a_good_file(tmp_path, name, content)


@pytest.mark.parametrize("content", [b"%PDF-1.7\ngarbage", b"no pdf at all", make_pdf([[("x" * 40, 12)]])[:300]])
def test_a_broken_pdf_is_left_out(tmp_path, content):
    assert read_beside_a_good_file(tmp_path, "a.pdf", content)


def test_a_scanned_pdf_needs_ocr(tmp_path):
    assert "OCR" in read_beside_a_good_file(tmp_path, "a.pdf", make_pdf([[("", 12)], [("", 12)]]))


@pytest.mark.parametrize(("user", "read"), [("secret", False), ("", True)])
def test_a_pdf_with_a_password_is_left_out_and_one_that_only_forbids_printing_is_read(tmp_path, user, read):
    writer = PdfWriter(clone_from=io.BytesIO(make_pdf([[("We charge a fee of £5 once.", 11)]])))
    writer.encrypt(user_password=user, owner_password="owner", algorithm="AES-256")
    with (tmp_path / "a.pdf").open("wb") as file:
        writer.write(file)
    reading = read_documents(tmp_path)
    assert [document.text for document in reading.documents] == ["We charge a fee of £5 once."] * read
    assert ["password" in skipped.reason for skipped in reading.skipped] == [True] * (not read)


def test_a_word_bomb_is_left_out_before_it_unpacks(tmp_path):
    bomb = make_zip_bomb()
    assert len(bomb) < 1_000_000
    assert "unpacks" in read_beside_a_good_file(tmp_path, "a.docx", bomb)


@pytest.mark.parametrize("content", [b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0 old", b"words", make_word()[:-300]])
def test_a_broken_word_file_is_left_out(tmp_path, content):
    assert read_beside_a_good_file(tmp_path, "a.docx", content)


def test_a_file_over_the_limit_is_left_out_before_it_is_read(tmp_path):
    with (tmp_path / "huge.md").open("wb") as file:
        file.truncate(100_000_000)
    (tmp_path / "good.md").write_text(GOOD)
    reading = read_documents(tmp_path)
    assert [document.id for document in reading.documents] == ["good"]
    assert "100.0 MB, more than the limit of 20.0 MB" in reading.skipped[0].reason


def test_the_limit_is_a_parameter(tmp_path):
    (tmp_path / "a.md").write_text("x" * 101)
    assert read_documents(tmp_path, limit_bytes=101).documents
    assert read_documents(tmp_path, limit_bytes=100).skipped


def test_a_format_that_is_not_read_is_named(tmp_path):
    assert "'.xlsx'" in read_beside_a_good_file(tmp_path, "a.xlsx", b"x")


@pytest.mark.parametrize(
    ("encoding", "remarks"), [("utf-8-sig", 1), ("utf-16", 1), ("utf-16-be", 0), ("utf-32", 1), ("cp1252", 2)]
)
def test_other_encodings_are_read(tmp_path, encoding, remarks):
    text = "Déjà vu costs £5 – or “more”."
    (tmp_path / "a.md").write_bytes((b"\xfe\xff" if encoding == "utf-16-be" else b"") + text.encode(encoding))
    reading = read_documents(tmp_path)
    assert [document.text for document in reading.documents] == [text]
    assert len(reading.remarks) == max(remarks, 1)


@pytest.mark.parametrize("encoding", ["koi8-r", "shift-jis"])
def test_an_encoding_that_cannot_be_told_is_left_out_rather_than_garbled(tmp_path, encoding):
    text = {"koi8-r": "Ваш счёт вырос в этом месяце. " * 5, "shift-jis": "今月の請求が上がりました。" * 5}[encoding]
    assert "UTF-8" in read_beside_a_good_file(tmp_path, "a.md", text.encode(encoding))


def test_what_cannot_be_seen_is_removed_and_what_shapes_letters_stays():
    hidden = "\x00\x07\u202e\u2066\u200b\u200f\ufeff\u00ad\U000e0041\ue000\ud800"
    assert clean_text(f"Pay{hidden} £5\u00a0now\r\nor\u2028later") == "Pay £5 now\nor\nlater"
    assert clean_text("می\u200cخواهم 👩\u200d💻 e\u0301 a\u200cb") == "می\u200cخواهم 👩\u200d💻 é ab"


@pytest.mark.parametrize("name", ["a.md", "a.txt", "a.html"])
def test_nul_bytes_and_direction_overrides_never_reach_a_document(tmp_path, name):
    (tmp_path / name).write_text("<p>Pay \x00£5\u202e now</p>" if name == "a.html" else "Pay \x00£5\u202e now")
    assert read_documents(tmp_path).documents[0].text == "Pay £5 now"


def test_lone_surrogates_in_json_are_removed(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": "a\\ud800", "title": "T\\udfff", "text": "Pay \\ud83d now \\ud83d\\ude00"}')
    (document,) = read_documents(tmp_path).documents
    assert (document.id, document.title, document.text) == ("a", "T", "Pay  now 😀")


def test_a_broken_line_among_good_ones_is_named_by_its_number(tmp_path):
    lines = ['{"id": "1", "text": "One"}', "{broken", "[1]", '{"id": "4", "text": ""}', '{"id": "5", "text": "Five"}', ""]
    lines += ["[" * 100_000, '{"id": ' + "9" * 5000 + "}"]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    reading = read_documents(tmp_path)
    assert [document.id for document in reading.documents] == ["1", "5"]
    assert [skipped.reason.split(":")[0] for skipped in reading.skipped] == [
        "Line 2",
        "Line 3",
        "Line 7",
        "Line 8",
        "Line 4",
    ]


def test_a_row_with_an_unknown_audience_is_refused_alone(tmp_path):
    rows = [{"id": "1", "text": "One", "audience": "vip"}, {"id": "2", "text": "Two", "internal": True}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    reading = read_documents(tmp_path)
    assert [(document.id, document.internal) for document in reading.documents] == [("2", True)]
    assert "'vip'" in reading.skipped[0].reason


def test_links_are_followed_inside_the_folder_only(tmp_path):
    folder = tmp_path / "docs"
    (folder / ".data").mkdir(parents=True)
    (tmp_path / "secret.md").write_text("Secret")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "x.md").write_text("Secret")
    (folder / "a.md").write_text("A")
    (folder / ".data" / "mounted.md").write_text("Mounted")
    (folder / "again.md").symlink_to(folder / "a.md")  # read once, under its own name
    (folder / "mounted.md").symlink_to(folder / ".data" / "mounted.md")  # as configuration mounts are made
    (folder / "out.md").symlink_to(tmp_path / "secret.md")
    (folder / "outer").symlink_to(tmp_path / "secrets")
    (folder / "loop").symlink_to(folder)
    (folder / "dangling.md").symlink_to(folder / "gone.md")
    reading = read_documents(folder)
    assert [document.id for document in reading.documents] == ["a", "mounted"]
    assert {skipped.path.name for skipped in reading.skipped} == {"out.md", "outer", "dangling.md"}


def test_a_named_pipe_does_not_wait_for_ever(tmp_path):
    os.mkfifo(tmp_path / "pipe.md")
    assert "not a plain file" in read_documents(tmp_path).skipped[0].reason


def test_hidden_files_and_editors_lock_files_are_ignored(tmp_path):
    for name in (".hidden.md", "~$lock.docx", ".git/config.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    reading = read_documents(tmp_path)
    assert (reading.documents, reading.skipped) == ((), ())


@pytest.fixture
def as_nobody():
    """A folder, and this process without the rights of root, which may read everything."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "good.md").write_text(GOOD)
        (folder / "closed.md").write_text("x")
        (folder / "closed.md").chmod(0)
        (folder / "shut").mkdir()
        (folder / "shut").chmod(0)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        yield folder
        if root:
            os.seteuid(0)
        (folder / "shut").chmod(0o755)


def test_what_may_not_be_read_is_named(as_nobody):
    reading = read_documents(as_nobody)
    assert [document.text for document in reading.documents] == [GOOD]
    assert {skipped.path.name for skipped in reading.skipped} == {"closed.md", "shut"}
    assert all("permission" in skipped.reason.lower() for skipped in reading.skipped)


def test_a_name_that_is_not_utf8_is_read(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.md")).write_text("Text")
    (document,) = read_documents(tmp_path).documents
    assert document.id.encode()
    assert document.source.encode()


@pytest.mark.parametrize("suffix", ["md", "txt", "html", "csv", "jsonl"])
@pytest.mark.parametrize("text", ["word " * 200_000, "x" * 1_000_000], ids=["words", "one word"])
def test_a_huge_single_line_is_read_or_refused_but_never_crashes(tmp_path, suffix, text):
    text = {"csv": f"id,text\n1,{text}", "jsonl": json.dumps({"id": "1", "text": text})}.get(suffix, text)
    (tmp_path / f"a.{suffix}").write_text(text)
    reading = read_documents(tmp_path)
    assert len(reading.documents) + len(reading.skipped) == 1


@pytest.mark.parametrize("opening", ["<div>", "<ul><li>", "<b>", "<table><tr><td>", "<p>", "<p a='", "<!--", "<"])
def test_deeply_nested_html_neither_crashes_nor_hangs(tmp_path, opening):
    (tmp_path / "a.html").write_text(f"<p>{GOOD}</p>" + opening * 20_000 + "deep")
    reading = read_documents(tmp_path)
    assert reading.documents[0].text.startswith(GOOD)


@pytest.mark.parametrize("opening", ["> ", "- ", "* " * 3, "[", "![", "`", "**", "<a ", "|", "\t"])
def test_deeply_nested_markdown_neither_crashes_nor_hangs(tmp_path, opening):
    (tmp_path / "a.md").write_text(opening * 20_000 + "deep")
    reading = read_documents(tmp_path)
    assert len(reading.documents) + len(reading.skipped) == 1
