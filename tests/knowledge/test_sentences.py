import time

import pytest

from knowledge.sentences import split_sentences

CASES = {
    "an amount": ["We charge £3.50.", "It is added to your next bill."],
    "an amount at the end": ["You pay £3.", "We refund £2."],
    "for example": ["Some plans, e.g. Fibre 500, cost more.", "Others don't."],
    "that is": ["It takes a day, i.e. 24 hours.", "Then try again."],
    "a house number": ["See No. 5 High St. for details.", "Then go in."],
    "the answer no": ["Is it free?", "No.", "You pay £5."],
    "a title": ["Dr. Smith and J. R. Hartley agree.", "I do too."],
    "an ellipsis inside": ["Wait... then try again.", "Done."],
    "an ellipsis between": ["Wait…", "Then try again.", "Still nothing...", "Call us."],
    "quotes": ['It says "Locked."', "Then it restarts.", '"Ready?" appears.'],
    "single typographic quotes": ["Tap ‘Restart.’", "Wait a minute."],
    "an address": ["Go to https://larkfield.example/help.html?a=1.", "Then sign in."],
    "a domain": ["Write to help@larkfield.example.", "We reply in a day."],
    "a date": ["It ends on 3 Jan. 2026 at noon.", "Then it renews."],
    "a time before a day": ["We close at 5 p.m. Monday to Friday.", "Ask tomorrow."],
    "a time before a sentence": ["We close at 5 p.m.", "You can still write."],
    "initials of a country": ["Only in the U.K. Government offices.", "In the U.K.", "We call it roaming."],
    "a single letter": ["You need plan B.", "Call us."],
    "names that begin small": ["Restart it.", "eSIM users wait a minute.", "iPhone users don't."],
    "versions": ["Install version 2.0.1 first.", "Then restart."],
    "bold and brackets": ["**Note.**", "Do this.", "(See below.)", "Then that."],
    "several marks": ["Really?!", "Yes!!!", "Good."],
    "no end": ["Nothing ends here"],
}


@pytest.mark.parametrize("sentences", CASES.values(), ids=CASES.keys())
def test_sentences_end_where_a_reader_would_end_them(sentences):
    assert split_sentences(" ".join(sentences)) == sentences


def test_list_items_stand_alone_with_their_markers():
    text = "Do this:\n1. Turn it off. Wait.\n2. Turn it on.\n   - Only the hub.\n\nDone"
    assert split_sentences(text) == ["Do this:", "1. Turn it off.", "Wait.", "2. Turn it on.", "- Only the hub.", "Done"]


def test_a_table_row_is_never_cut():
    text = "Fees:\n| Fee | When |\n|---|---|\n| £5. Once. | Late. |"
    assert split_sentences(text) == ["Fees:", "| Fee | When |", "|---|---|", "| £5. Once. | Late. |"]


def test_soft_line_breaks_become_spaces():
    assert split_sentences("Turn it\noff.  Then\non.") == ["Turn it off.", "Then on."]


def test_sentences_without_spaces_between_are_found():
    assert split_sentences("これは文です。次の文！はい") == ["これは文です。", "次の文！", "はい"]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "."])
def test_nothing_worth_a_sentence_is_harmless(text):
    assert split_sentences(text) == ([text] if text.strip() else [])


@pytest.mark.parametrize("unit", ["a. ", ".", "a", "A.B.", "'", ".'", "\n ", "\n", ". ", ".\"' "])
def test_hostile_text_costs_linear_time(unit):
    text = unit * (300_000 // len(unit)) + "x"
    began = time.process_time()
    split_sentences(text)
    assert time.process_time() - began < 3  # quadratic would be minutes
