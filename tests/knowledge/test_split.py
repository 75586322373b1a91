import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.document import Document, DocumentId
from knowledge.split import count_words, split_document


def split(text):
    return split_document(
        Document(id=DocumentId("fees"), title="Fees", text=text, category="Billing", url="https://x.example")
    )


def texts(text):
    return [passage.text for passage in split(text)]


def sentence(words, end="."):
    return "We " + "charge " * (words - 2) + f"you{end}"


LONG = sentence(60)


def test_passages_carry_what_their_document_says_and_count_from_nought():
    first, second = split(f"{LONG}\n\n## Late\n\n{LONG}")
    assert (first.id, first.document, first.title, first.position) == ("fees#0", "fees", "Fees", 0)
    assert (first.category, first.url, first.score, first.heading) == ("Billing", "https://x.example", 0.0, "")
    assert (second.id, second.heading) == ("fees#1", "Late")


def test_the_heading_is_the_path_of_headings_without_markup():
    headed = split(f"## If **late**\n\n{LONG}\n\n### By `app` [now](x)\n\n{LONG}\n\n## Other\n\n{LONG}")
    assert [passage.heading for passage in headed] == ["If late", "If late > By app now", "Other"]


def test_a_bold_line_before_its_text_is_a_heading_but_a_bold_sentence_is_not():
    headed = split(f"## Fees\n\n**What if I cannot pay?**\n\n{LONG}\n\n**Never send cash.**\n\n{LONG}")
    assert {passage.heading for passage in headed} == {"Fees > What if I cannot pay?"}
    assert "\n\n".join(passage.text for passage in headed) == f"{LONG}\n\n**Never send cash.**\n\n{LONG}"


def test_a_list_stays_whole_with_the_sentence_that_opens_it():
    steps = "1. Open the app.\n2. Choose **Pay**.\n   - By card.\n   - By bank.\n\n   Wait.\n3. Done."
    assert texts(f"To pay now:\n\n{steps}") == [f"To pay now:\n\n{steps}"]


def test_only_the_last_sentence_of_a_long_paragraph_opens_the_list():
    assert texts(f"{LONG} To pay:\n\n- card\n- bank") == [LONG, "To pay:\n\n- card\n- bank"]


def test_a_short_sentence_after_a_list_stays_with_it():
    tail = "It takes a day."
    assert texts(f"To pay:\n\n- card\n- bank\n\n{tail}\n\n{LONG}") == [f"To pay:\n\n- card\n- bank\n\n{tail}", LONG]


def test_a_sentence_between_two_lists_opens_the_second():
    assert texts("To pay:\n\n- card\n\nTo wait:\n\n1. Sit.") == ["To pay:\n\n- card", "To wait:\n\n1. Sit."]


def test_a_table_stays_with_its_caption():
    table = "| Plan | Fee |\n| --- | --- |\n| Home | £5 |"
    assert texts(f"Our fees are:\n\n{table}") == [f"Our fees are:\n\n{table}"]


def test_steps_are_numbered_as_a_reader_sees_them():
    assert texts("1. One\n1. Two\n1. Three") == ["1. One\n2. Two\n3. Three"]


def test_a_list_too_long_is_cut_between_items_and_opens_each_piece():
    items = [f"{number}. {sentence(40)}" for number in range(1, 21)]
    pieces = texts("To pay:\n\n" + "\n".join(items))
    assert all(piece.startswith("To pay:\n\n") and count_words(piece) <= 250 for piece in pieces)
    assert [line for piece in pieces for line in piece.split("\n")[2:]] == items


def test_a_table_too_long_repeats_its_header():
    rows = [f"| {number} | {sentence(30)} |" for number in range(20)]
    pieces = texts("Fees:\n\n| No | Fee |\n|---|---|\n" + "\n".join(rows))
    assert len(pieces) > 1
    assert all(piece.startswith("Fees:\n\n| No | Fee |\n|---|---|\n| ") for piece in pieces)
    assert [line for piece in pieces for line in piece.split("\n")[4:]] == rows


def test_a_list_of_250_words_is_not_cut():
    items = "\n".join(f"- {sentence(24)}" for _ in range(9))
    assert len(texts(f"To pay:\n\n{items}")) == 1


def test_a_long_paragraph_is_cut_between_sentences_into_even_pieces():
    sentences = [sentence(25, f" £{number}.50.") for number in range(10)]
    pieces = texts(" ".join(sentences))
    assert " ".join(pieces) == " ".join(sentences)
    assert [count_words(piece) for piece in pieces] == [78, 52, 78, 52]


def test_short_neighbours_under_one_heading_are_joined_and_long_ones_not():
    short, other = sentence(12), sentence(20)
    assert texts(f"{short}\n\n{other}\n\n{LONG}") == [f"{short}\n\n{other}", LONG]
    assert texts(f"{LONG}\n\n{LONG}") == [LONG, LONG]
    assert texts(f"{short}\n\n## Other\n\n{other}") == [short, other]


def test_wrapped_lines_become_one_and_hard_breaks_stay():
    assert texts("We charge\na fee.  \nOnce.\n\n## List\n\n- one\n  two\n- three") == [
        "We charge a fee.  \nOnce.",
        "- one two\n- three",
    ]


def test_a_quotation_reads_as_its_text():
    assert texts("> **Note:** Choose:\n>\n> - one\n> - two") == ["**Note:** Choose:\n\n- one\n- two"]


def test_code_stays_with_its_opener_and_its_fences():
    assert texts("Type:\n\n```sh\nls\n\npwd\n```") == ["Type:\n\n```sh\nls\n\npwd\n```"]


def test_tags_and_definitions_in_a_text_are_text():
    assert texts("<div>\nNot lost\n</div>") == ["<div> Not lost </div>"]
    assert texts("[1]: https://x.example/not-lost") == ["[1]: https://x.example/not-lost"]


def test_a_document_of_headings_only_is_one_passage():
    assert texts("## Call 150") == ["## Call 150"]


def test_text_without_spaces_is_cut_to_a_size_the_model_reads():
    pieces = texts("請求書が届きました。" * 100)
    assert "".join(pieces).replace(" ", "") == "請求書が届きました。" * 100
    assert max(map(count_words, pieces)) <= 400


@pytest.mark.parametrize("text", ["word " * 200_000, "x" * 1_000_000, "- " * 100_000 + "x", "> " * 100_000, "a. " * 300_000])
def test_hostile_text_is_cut_in_linear_time(text):
    began = time.process_time()
    pieces = split(text)
    assert time.process_time() - began < 20  # quadratic would be hours
    assert all(len(piece.text) < 6000 for piece in pieces)


def test_a_change_leaves_the_passages_before_it_as_they_were():
    before, after = split(f"{LONG}\n\n## A\n\n{LONG}\n\n## B\n\n{LONG}"), split(f"{LONG}\n\n## A\n\n{LONG}\n\n## B\n\nNew.")
    assert before[:2] == after[:2]
    assert split("Same") == split("Same")


WRITTEN = (
    *("## Head", "### Deep", LONG, sentence(12), sentence(130), "To pay:", "**Bold?**", "It is late.", "<b>tag</b>", "---"),
    *(
        "- one\n- two\n  - deep",
        "1. a\n1. b",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "> quote",
        "```\ncode\n```",
        "    indented",
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WRITTEN), min_size=1, max_size=12))
def test_no_word_of_a_document_is_lost_and_positions_have_no_gaps(parts):
    passages = split("\n\n".join(parts))
    assert [passage.position for passage in passages] == list(range(len(passages)))
    kept = " ".join(f"{passage.heading} {passage.text}" for passage in passages)
    for word in ("charge", "one", "deep", "indented", "code", "quote", "late"):
        if any(word in part for part in parts):
            assert word in kept


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab.1-*#>|`[]()<!\n \t:_~", max_size=200))
def test_any_text_splits_without_an_error(text):
    passages = split(text)
    assert all(one.position + 1 == other.position for one, other in pairwise(passages))
