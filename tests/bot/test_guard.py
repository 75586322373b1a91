"""The guard at the door: what is stored is plain text, and what cannot be is refused with a reason."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import MessageEmpty, MessageRefused, MessageTooLong, MessageUnreadable
from bot.guard import clean_text


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("  my bill went up, why?\r\n", "my bill went up, why?"),
        ("line one\r\nline two\rline three\u2028four", "line one\nline two\nline three\nfour"),
        ("a\x00b\x07c\x1bd\x7fe\x9bf", "abcdef"),
        ("pay \u202e0001\u202c now", "pay 0001 now"),
        ("in\u200bvis\u2060ible\ufeff \u00adtext", "invisible text"),
        ("hidden \U000e0049\U000e0067order", "hidden order"),
        ("fi\u200dre", "fire"),
        ("cafe\u0301", "café"),
        ("family 👨\u200d👩\u200d👧 is ❤\ufe0f", "family 👨\u200d👩\u200d👧 is ❤\ufe0f"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_what_is_stored_is_the_visible_text(raw, stored):
    assert clean_text(raw, 4000) == stored


@pytest.mark.parametrize("raw", [None, 3, b"bytes", ["list"], {"text": "x"}, "lone \ud83d surrogate"])
def test_what_is_not_text_is_refused_as_unreadable(raw):
    with pytest.raises(MessageUnreadable):
        clean_text(raw, 4000)


@pytest.mark.parametrize("raw", ["", "   \n\t", "\u200b\u2060", "\x00\x01", "\u202e\u202c", "\u200d\ufe0f", "\u3164"])
def test_a_message_without_a_visible_character_is_refused_as_empty(raw):
    with pytest.raises(MessageEmpty):
        clean_text(raw, 4000)


def test_a_long_message_is_refused_whole_and_the_reason_names_the_limit():
    with pytest.raises(MessageTooLong, match="4,000"):
        clean_text("x" * 4001, 4000)
    assert len(clean_text("x" * 4000, 4000)) == 4000


def test_stacked_combining_marks_are_thinned():
    assert len(clean_text("z" + "\u0333" * 500, 4000)) <= 5


@given(st.text(max_size=300))
def test_cleaning_twice_changes_nothing_more_and_leaves_no_control_character(raw):
    try:
        text = clean_text(raw, 4000)
    except MessageRefused:
        return
    assert clean_text(text, 4000) == text
    assert not [c for c in text if unicodedata.category(c) == "Cc" and c not in "\n\t"]
