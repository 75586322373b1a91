from datetime import date

import pytest

from knowledge.document import Document
from knowledge.errors import DuplicateDocument, FolderUnreadable
from knowledge.read import content_hash, read_documents
from tests.knowledge.files import make_pdf, make_word

ARTICLE = """---
id: late-fee
title: "Late fees: what you pay"
category: Billing
updated: 2026-03-31
audience: public
url: https://larkfield.example/help/late-fee
---

# Late fees: what you pay

We charge £5 once.

## How to pay

Open the app.
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "docs").mkdir()
    return tmp_path / "docs"


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def only_reason(reading):
    assert reading.documents == ()
    (skipped,) = reading.skipped
    return skipped.reason


def test_front_matter_says_everything_about_an_article(folder):
    write(folder, {"late.md": ARTICLE})
    (document,) = read_documents(folder).documents
    assert document == Document(
        id="late-fee",
        title="Late fees: what you pay",
        text="We charge £5 once.\n\n## How to pay\n\nOpen the app.",
        category="Billing",
        updated=date(2026, 3, 31),
        internal=False,
        url="https://larkfield.example/help/late-fee",
        source="late.md",
    )


def test_without_front_matter_title_and_id_are_made_and_it_is_said(folder):
    write(folder, {"Billing/Late Fees.md": "# Late *fees*\n\nWe charge £5.", "plain.md": "Only words."})
    reading = read_documents(folder)
    first, second = reading.documents
    assert (first.id, first.title, first.text, first.internal) == ("billing-late-fees", "Late fees", "We charge £5.", False)
    assert (second.id, second.title) == ("plain", "Plain")
    assert {remark.path.name for remark in reading.remarks} == {"Late Fees.md", "plain.md"}
    assert not reading.skipped


@pytest.mark.parametrize("said", ["audience: internal", "audience: Internal", "internal: true", "internal: yes"])
def test_an_article_that_says_internal_is_internal(folder, said):
    write(folder, {"a.md": f"---\nid: a\n{said}\n---\nText"})
    assert read_documents(folder).documents[0].internal


def test_a_folder_named_internal_keeps_everything_below_it_internal(folder):
    write(folder, {"Internal/x/a.md": "Text", "internal/b.md": "---\naudience: public\n---\nText"})
    reading = read_documents(folder)
    assert [document.internal for document in reading.documents] == [True, True]
    assert [remark.path.name for remark in reading.remarks if "kept internal" in remark.text] == ["b.md"]


@pytest.mark.parametrize(
    "said",
    [
        "audience: partners",
        "audience:",
        "audience: [internal]",
        "audiance: partners",
        "interna: 1",
        "audience: public\ninternal: true",
        "internal: maybe",
        "access: private",
        "audience: public\naudience: internal",
    ],
)
def test_an_audience_that_is_not_understood_is_never_taken_for_public(folder, said):
    write(folder, {"a.md": f"---\nid: a\n{said}\n---\nText"})
    assert any(word in only_reason(read_documents(folder)) for word in ("audience", "internal"))


def test_windows_line_ends_and_blank_lines_before_front_matter_change_nothing(folder):
    write(folder, {"a.md": ARTICLE, "b.md": "\n" + ARTICLE.replace("late-fee\n", "other\n").replace("\n", "\r\n")})
    first, second = read_documents(folder).documents
    assert (first.text, first.updated, second.id) == (second.text, second.updated, "other")


def test_every_file_that_states_nothing_is_remarked_upon(folder):
    write(folder, {"a.md": "x", "b.txt": "x", "c.html": "<p>x", "d.docx": make_word(), "e.pdf": make_pdf([[("A" * 30, 9)]])})
    reading = read_documents(folder)
    assert [remark.path.name for remark in reading.remarks] == ["a.md", "b.txt", "c.html", "d.docx", "e.pdf"]


def test_front_matter_that_never_ends_is_refused_rather_than_read_as_text(folder):
    write(folder, {"a.md": "---\nid: a\naudience: internal\n\nText"})
    assert "never closed" in only_reason(read_documents(folder))


@pytest.mark.parametrize("identifier", ["0012", "1e3", "yes", "2026-03-31"])
def test_an_id_stays_as_it_is_written(folder, identifier):
    write(folder, {"a.md": f"---\nid: {identifier}\ntitle: No\n---\nText"})
    (document,) = read_documents(folder).documents
    assert (document.id, document.title) == (identifier, "No")


@pytest.mark.parametrize(
    "block",
    [
        "x: &x [1, 1]\ny: &y [*x, *x]\nz: &z [*y, *y]\nid: late",
        "id: " + "[" * 10_000,
        "title: Bills: why?",
        "id: [a, b]",
        "id: !!python/object/apply:os.system [ls]",
    ],
)
def test_front_matter_that_is_not_plain_is_refused(folder, block):
    write(folder, {"a.md": f"---\n{block}\n---\nText"})
    assert "front matter" in only_reason(read_documents(folder))


def test_a_thematic_break_is_not_front_matter(folder):
    write(folder, {"a.md": "---\n\nSome words\n\n---\n\nMore words"})
    assert "More words" in read_documents(folder).documents[0].text


def test_html_comments_and_tags_are_taken_out_of_markdown_but_not_out_of_code(folder):
    write(folder, {"a.md": "One<br>two <b>bold</b> <!-- staff `only` --> `<b>` ![gear](x.png)\n\n```\n<i>\n```"})
    assert read_documents(folder).documents[0].text == "One  \ntwo bold  `<b>` gear\n\n```\n<i>\n```"


def test_two_documents_with_one_id_fail_naming_both_files(folder):
    write(folder, {"a.md": ARTICLE, "sub/b.md": ARTICLE})
    with pytest.raises(DuplicateDocument, match=r"'late-fee': a\.md and sub/b\.md"):
        read_documents(folder)


def test_two_rows_with_one_id_fail_naming_both_lines(folder):
    write(folder, {"a.jsonl": '{"id": "x", "text": "One"}\n{"id": "x", "text": "Two"}'})
    with pytest.raises(DuplicateDocument, match=r"a\.jsonl:1 and a\.jsonl:2"):
        read_documents(folder)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FolderUnreadable, match="nowhere"):
        read_documents(tmp_path / "nowhere")


def test_a_file_instead_of_a_folder_is_named(tmp_path):
    (tmp_path / "a.md").write_text("x")
    with pytest.raises(FolderUnreadable, match=r"a\.md"):
        read_documents(tmp_path / "a.md")


def test_progress_hears_of_every_file_in_order(folder):
    write(folder, {"b.md": "B", "a.md": "A", "c.bin": b"\x00"})
    heard = []
    read_documents(folder, heard.append)
    assert [path.name for path in heard] == ["a.md", "b.md", "c.bin"]


def test_documents_come_in_the_order_of_their_paths(folder):
    write(folder, {f"{name}.md": "Text" for name in "dbca"})
    assert [document.id for document in read_documents(folder).documents] == ["a", "b", "c", "d"]


def test_the_hash_changes_with_what_matters_and_with_nothing_else():
    document = Document(id="a", title="A", text="Text", source="a.md")
    same = Document(id="a", title="A", text="Text", source="moved/a.md")
    others = [
        Document(id="b", title="A", text="Text"),
        Document(id="a", title="B", text="Text"),
        Document(id="a", title="A", text="Text."),
        Document(id="a", title="A", text="Text", category="C"),
        Document(id="a", title="A", text="Text", updated=date(2026, 1, 1)),
        Document(id="a", title="A", text="Text", internal=True),
        Document(id="a", title="A", text="Text", url="https://x.example"),
    ]
    assert content_hash(document) == content_hash(same)
    assert len({content_hash(other) for other in [document, *others]}) == len(others) + 1


def test_front_matter_may_hold_a_vetted_answer_and_a_changed_one_is_noticed(folder):
    answer = "answer: |\n  It is £5, **once**.\n\n  - [Pay](pay-a-bill)\n"
    write(folder, {"late.md": ARTICLE.replace("category:", f"{answer}category:")})
    with_answer = read_documents(folder).documents[0]
    assert with_answer.answer == "It is £5, **once**.\n\n- [Pay](pay-a-bill)"
    write(folder, {"late.md": ARTICLE})
    without = read_documents(folder).documents[0]
    assert without.answer == ""
    assert (without.title, without.text) == (with_answer.title, with_answer.text)
    assert content_hash(without) != content_hash(with_answer)


def test_a_vetted_answer_with_markup_or_hidden_characters_is_cleaned_like_the_text(folder):
    write(
        folder, {"late.md": ARTICLE.replace("category:", 'answer: "<b>It</b> is\\u200b £5<script>x</script>."\ncategory:')}
    )
    assert read_documents(folder).documents[0].answer == "It is £5."
