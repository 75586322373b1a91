import gzip
from pathlib import Path

import pytest

from evals import formats
from evals.formats import CorpusRow, FileInvalid, QueryRow, read_rows

QUERY = (
    '{"id": "q", "text": "for business?", "history": [["customer", "how much is it"]], "gold": ["a"], "answerable": true}'
)


def test_rows_are_read_plain_and_gzipped_and_blank_lines_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "plain.jsonl").write_text(f"{QUERY}\n\n", encoding="utf-8")
    with gzip.open(tmp_path / "packed.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(QUERY)
    plain, packed = (read_rows(tmp_path / name, QueryRow) for name in ("plain.jsonl", "packed.jsonl.gz"))
    assert plain == packed
    assert plain[0].history == (("customer", "how much is it"),)


def test_what_may_be_missing_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text('{"id": "1", "text": "hi", "other": 1}\n{"id": "2", "text": "x", "answerable": null}')
    assert read_rows(tmp_path / "q.jsonl", QueryRow)[1].answerable is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file has no rows"),
        (b"\n \n", "the file has no rows"),
        (b'{"id": "a", "title": "t", "text": "x"}\nnot json\n', ":2: "),
        (b'{"id": "a", "title": "t"}\n', ":1: text: Field required"),
        (b'{"id": "", "text": "x"}\n', ":1: id: "),
        (b'{"id": 5, "text": "x"}\n', ":1: id: "),
        (b"[1, 2]\n", ":1: "),
        (b'{"id": "a", "text": "x"}\n{"id": "a", "text": "y"}\n', ":2: the id 'a' was there before"),
        (b'{"id": "a", "text": "\xff"}\n', ":1: not UTF-8 text (byte 22)"),
        (b"\0\x01\x02" * 50, ":1: not one whole JSON object"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_bytes(content)
    with pytest.raises(FileInvalid) as wrong:
        read_rows(file, CorpusRow)
    assert str(wrong.value).startswith(str(file))
    assert says in str(wrong.value)


def test_a_line_that_is_binary_or_endless_is_left_out_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "LONGEST", 100)
    file = tmp_path / "q.jsonl"
    problems: list[str] = []
    file.write_bytes(
        b"\xef\xbb\xbf" + b"\n".join([b'{"id": "1", "text": "hi"}', b"\xff\0", b"x" * 250, b'{"id": "2", "text": "x"}'])
    )
    assert [row.id for row in read_rows(file, QueryRow, problems=problems)] == ["1", "2"]
    assert [one.partition("jsonl:")[2][:9] for one in problems] == ["2: not UT", "3: the li"]


def test_a_file_that_is_missing_or_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileInvalid, match="there is no such file"):
        read_rows(tmp_path / "nowhere.jsonl", CorpusRow)
    with pytest.raises(FileInvalid, match="cannot be read"):
        read_rows(tmp_path, CorpusRow)


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"id": "a", "text": "x"}\n' * 100)[:-20])
    with pytest.raises(FileInvalid, match=r"a\.jsonl\.gz"):
        read_rows(tmp_path / "a.jsonl.gz", CorpusRow)
    packed = bytearray(gzip.compress(b'{"id": "a", "text": "x"}\n' * 100))
    packed[12:20] = b"\xff" * 8
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    with pytest.raises(FileInvalid, match=r"a\.jsonl\.gz: cannot be read"):
        read_rows(tmp_path / "a.jsonl.gz", CorpusRow)
