import pytest

from knowledge.read import read_documents
from tests.knowledge.files import make_pdf, make_word

PAGE = """<!doctype html><html><head><meta charset="iso-8859-1"><title>Late fees | Larkfield</title>
<meta name="category" content="Billing"><meta name="id" content="late-fee"><meta name="updated" content="2026-03-31">
<link rel="canonical" href="https://larkfield.example/late"><style>p {}</style></head><body>
<header><h2>Larkfield</h2><nav><a href="/">Home</a></nav></header><div class="breadcrumbs">Home > Billing</div>
<main><header><h1>Late <em>fees</em></h1></header>
<p>We charge <b>£5 </b>once.<br>Then <a href="/pay">pay here</a>.<!-- staff only --></p>
<p hidden>Unseen.</p><p style="display: none">Unseen.</p><p aria-hidden="true">Unseen.</p><script>unseen()</script>
<h2>How to pay</h2><p>To pay:</p>
<ol><li>Open the <strong>app</strong>.</li><li><p>Choose one:</p><ul><li>card</li><li>bank</li></ul><p>Confirm.</p></li>
<li>Done.</li></ol>
<table><caption>Our fees</caption><tr><th>Plan</th><th>Fee</th></tr><tr><td rowspan=2>Home</td><td>£5 | £6</td></tr>
<tr><td>£7</td></tr></table>
<table><tr><th>Phone</th><td>150</td></tr><tr><th>Post</th><td>PO Box 1</td></tr></table>
<table><tr><td><h3>Layout</h3><p>is no table</p></td></tr></table>
<details><summary>What if I cannot pay?</summary>Ask us.</details><pre>a  b
c</pre><p># 150 is our number</p></main><footer>Larkfield Ltd</footer></body></html>"""

PAGE_AS_MARKDOWN = """We charge **£5** once.<hard>
Then pay here.

## How to pay

To pay:

1. Open the **app**.
2. Choose one:
   - card
   - bank

   Confirm.
3. Done.

Our fees:

| Plan | Fee |
| --- | --- |
| Home | £5 \\| £6 |
| Home | £7 |

- **Phone**: 150
- **Post**: PO Box 1

### Layout

is no table

**What if I cannot pay?**

Ask us.

```
a  b
c
```

\\# 150 is our number""".replace("<hard>", "  ")


def read_one(folder, name, content):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    reading = read_documents(folder)
    assert not reading.skipped
    (document,) = reading.documents
    return document


def read_rows(folder, name, content):
    (folder / name).write_text(content)
    reading = read_documents(folder)
    return [(document.id, document.title, document.text) for document in reading.documents], reading


def test_a_page_becomes_markdown_without_what_surrounds_it(tmp_path):
    document = read_one(tmp_path, "late.html", PAGE)
    assert document.text == PAGE_AS_MARKDOWN
    assert (document.id, document.title, document.category) == ("late-fee", "Late fees", "Billing")
    assert document.url == "https://larkfield.example/late"
    assert str(document.updated) == "2026-03-31"


def test_a_page_without_a_main_part_or_heading_takes_its_title_from_its_head(tmp_path):
    page = "<title>Late fees - Larkfield</title><body><aside>More</aside><div>One<div>Two</div></div></body>"
    document = read_one(tmp_path, "late.htm", page)
    assert (document.title, document.text) == ("Late fees", "One\n\nTwo")


def test_a_page_says_its_own_encoding(tmp_path):
    page = '<meta charset="iso-8859-2"><p>Zażółć gęślą jaźń: płać £'.replace("£", "Ł")
    assert read_one(tmp_path, "a.html", page.encode("iso-8859-2")).text == "Zażółć gęślą jaźń: płać Ł"


def test_a_page_may_say_that_it_is_internal(tmp_path):
    assert read_one(tmp_path, "a.html", '<meta name="audience" content="internal"><p>Text</p>').internal


def test_a_text_file_gives_its_first_line_as_title_and_bullets_as_a_list(tmp_path):
    document = read_one(tmp_path, "late.txt", "Late fees\n=========\n\nYou can:\n\n  • pay\n  • wait\n\n    Indented words.")
    assert (document.title, document.text) == ("Late fees", "You can:\n\n- pay\n- wait\n\nIndented words.")


def test_a_text_file_that_begins_with_a_sentence_is_named_for_its_file(tmp_path):
    document = read_one(tmp_path, "late_fees.txt", "We charge £5.\n\nOnce.")
    assert (document.title, document.text) == ("Late fees", "We charge £5.\n\nOnce.")


def test_a_word_file_keeps_headings_lists_and_tables_and_drops_hidden_text(tmp_path):
    document = read_one(tmp_path, "late.docx", make_word())
    assert document.title == "Late fees"
    assert document.text == (
        "We charge £5 once.\n\n# How to pay\n\nTo pay:\n\n1. Open the app.\n2. Choose Pay now.\n\nYou can use:\n\n"
        "- a card\n    - of any bank\n\n| Fee | When |\n| --- | --- |\n| £5 | late \\| unpaid |"
    )


def test_a_pdf_is_joined_to_paragraphs_without_running_heads(tmp_path):
    def page(number, lines):
        return [("Larkfield help", 9), *lines, ("", 40), (f"Page {number} of 3", 9)]

    first = [
        ("Late", 24),
        ("fees", 24),
        ("We charge £5 once if a bill is late. The fee appears on your next bill, not be-", 11),
        ("fore. A self-service page shows it.", 11),
        ("How to pay", 16),
        ("To pay:", 11),
        ("1. Open the app.", 11),
        ("2. Choose Pay now and", 11),
        ("confirm.", 11),
    ]
    second = [("A new paragraph begins on this page and is long enough to fill the line of the page.", 11)]
    third = [("• first", 11), ("• second", 11), ("It is self-", 11), ("service.", 11)]
    pdf = make_pdf([page(1, first), page(2, second), page(3, third)], title="Microsoft Word - fees.docx")
    document = read_one(tmp_path, "late.pdf", pdf)
    assert document.title == "Late fees"
    assert document.text.split("\n\n") == [
        "We charge £5 once if a bill is late. The fee appears on your next bill, not before. A self-service page shows it.",
        "## How to pay",
        "To pay:",
        "1. Open the app.\n2. Choose Pay now and confirm.",
        "A new paragraph begins on this page and is long enough to fill the line of the page.",
        "- first\n- second  \n  It is self-service.",
    ]


def test_a_pdf_takes_its_title_from_its_properties(tmp_path):
    pdf = make_pdf([[("Late fees", 20), ("We charge a fee of £5 once.", 11)]], title="Late fees")
    document = read_one(tmp_path, "x.pdf", pdf)
    assert (document.title, document.text) == ("Late fees", "We charge a fee of £5 once.")


def test_a_pdf_with_a_scanned_page_says_so(tmp_path):
    (tmp_path / "a.pdf").write_bytes(make_pdf([[("Enough words to be a page of text.", 11)], [("", 11)]]))
    assert any("page 2 is without text" in remark.text for remark in read_documents(tmp_path).remarks)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_is_read_whatever_its_delimiter(tmp_path, delimiter):
    rows = [["ID", "Question", "Answer"], ["1", "Is it free?", "Yes."], ["2", "And then?", '"£5.\n\n- once"']]
    found, _ = read_rows(tmp_path, "faq.csv", "\n".join(delimiter.join(row) for row in rows))
    assert found == [("1", "Is it free?", "Yes."), ("2", "And then?", "£5.\n\n- once")]


def test_a_table_with_other_names_and_fields_is_read(tmp_path):
    table = (
        "sep=;\nSubject;Body;Topic;Internal;Link;Author\nFees;<p>£5</p><ul><li>once;Billing;yes;https://x.example/f;Ann\n"
    )
    found, reading = read_rows(tmp_path, "faq.csv", table)
    assert found == [("faq-fees", "Fees", "£5\n\n- once")]
    (document,) = reading.documents
    assert (document.category, document.internal, document.url) == ("Billing", True, "https://x.example/f")
    assert document.source == "faq.csv:3"


def test_two_columns_without_names_are_question_and_answer(tmp_path):
    found, reading = read_rows(tmp_path, "faq.csv", "Is it free?,Yes.\nAnd then?,£5.\n")
    assert [text for _, _, text in found] == ["Yes.", "£5."]
    assert "question and answer" in reading.remarks[0].text


def test_a_table_without_a_text_column_is_refused_with_the_names_it_has(tmp_path):
    _, reading = read_rows(tmp_path, "faq.csv", "sku,price,stock\n1,2,3\n")
    assert "'sku', 'price', 'stock'" in reading.skipped[0].reason


def test_rows_that_cannot_be_read_are_named_and_the_rest_is_read(tmp_path):
    table = f"id,text\n1,One\n2,Pay £5, or more\n3,\n4,{'x' * 140_000}\n5,Five\n"
    found, reading = read_rows(tmp_path, "faq.csv", table)
    assert [row[0] for row in found] == ["1", "5"]
    assert sorted(skipped.reason.split(":")[0] for skipped in reading.skipped) == ["Line 3", "Line 4", "Line 5"]


def test_an_empty_cell_of_a_column_internal_means_no_but_of_a_column_audience_nothing(tmp_path):
    _, reading = read_rows(tmp_path, "a.csv", "id,text,internal\n1,One,\n2,Two,x\n")
    assert [document.internal for document in reading.documents] == [False, True]
    _, reading = read_rows(tmp_path, "a.csv", "id,text,audience\n1,One,\n2,Two,public\n")
    assert [document.id for document in reading.documents] == ["2"]


def test_json_lines_are_documents(tmp_path):
    line = '{"id": 7, "title": "Fees", "text": "£5", "category": "Billing", "internal": true, "tags": ["x"]}'
    (tmp_path / "a.ndjson").write_text(line + "\n\n" + '{"title": "Fees", "body": "<p>£6</p>", "url": null}')
    first, second = read_documents(tmp_path).documents
    assert (first.id, first.title, first.text, first.category, first.internal) == ("7", "Fees", "£5", "Billing", True)
    assert (second.id, second.text, second.url) == ("a-fees", "£6", None)


def test_a_date_or_address_that_cannot_be_read_is_left_out_with_a_remark(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "x", "updated": "soon", "url": "javascript:alert(1)"}')
    reading = read_documents(tmp_path)
    assert (reading.documents[0].updated, reading.documents[0].url) == (None, None)
    assert len(reading.remarks) == 2
