"""Cutting a stream into pieces: whole sentences and list items, however the stream was cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.pieces import Pieces

REPLY = (
    "You can cancel with 30 days' notice. [1] A charge of £7.50, e.g. for a late bill, may apply. [2][3]\n\n"
    "To cancel:\n1. Sign in. Choose **Leave**. [1]\n2. Confirm by 5.30 p.m. [1]\n\nIs that for broadband?"
)
PIECES = [
    "You can cancel with 30 days' notice. [1]",
    "A charge of £7.50, e.g. for a late bill, may apply. [2][3]",
    "",
    "To cancel:",
    "1. Sign in. Choose **Leave**. [1]",
    "2. Confirm by 5.30 p.m. [1]",
    "",
    "Is that for broadband?",
]


def cut(chunks):
    pieces = Pieces()
    return [piece for chunk in chunks for piece in pieces.feed(chunk)] + pieces.rest()


def test_a_reply_is_cut_into_sentences_with_their_marks_and_whole_list_items():
    assert [piece.text for piece in cut([REPLY])] == PIECES


@given(st.lists(st.integers(0, len(REPLY)), max_size=30))
def test_the_pieces_do_not_depend_on_how_the_stream_was_cut(cuts):
    places = [0, *sorted(cuts), len(REPLY)]
    chunks = [REPLY[a:b] for a, b in pairwise(places)]
    assert [piece.text for piece in cut(chunks)] == PIECES


def test_a_sentence_is_held_back_until_the_next_one_begins():
    pieces = Pieces()
    assert pieces.feed("The fee is £7.") == []
    assert pieces.feed("50 a month. ") == []
    assert [piece.text for piece in pieces.feed("[1] Then")] == ["The fee is £7.50 a month. [1]"]
    assert [piece.text for piece in pieces.rest()] == ["Then"]


def test_nothing_in_gives_nothing_out():
    assert cut([]) == []
    assert cut(["", ""]) == []


def test_a_sentence_said_twice_is_two_pieces():
    assert [piece.text for piece in cut(["Yes. Yes. [1] No."])] == ["Yes.", "Yes. [1]", "No."]
