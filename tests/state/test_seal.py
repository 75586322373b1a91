"""Sealed values: what they hide, what they refuse, and how keys are kept and rotated."""

import base64
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SealBroken, SettingsInvalid
from bot.seal import FILE_NAME, Seal, kept_key, read_seal
from bot.settings import Settings

OLD, NEW = secrets.token_bytes(32), secrets.token_bytes(32)


def settings(folder, **more):
    return Settings(_env_file=None, data_dir=folder, **more)


@given(st.binary(max_size=2000), st.text(max_size=50), st.text(max_size=50))
def test_what_is_sealed_opens_again_and_shows_nothing(value, place, conversation):
    sealed = Seal([OLD]).close(value, place, conversation)
    assert Seal([OLD]).open(sealed, place, conversation) == value
    assert len(value) < 4 or value not in sealed


@given(st.data())
def test_one_changed_bit_is_refused_wherever_it_is(data):
    sealed = bytearray(Seal([OLD]).close(b"LF-204815", "memory:1", "chat"))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealBroken):
        Seal([OLD]).open(bytes(sealed), "memory:1", "chat")


@pytest.mark.parametrize(("place", "conversation"), [("memory:2", "chat"), ("memory:1", "other"), ("memory:1c", "hat")])
def test_a_value_that_was_moved_is_refused(place, conversation):
    sealed = Seal([OLD]).close(b"LF-204815", "memory:1", "chat")
    with pytest.raises(SealBroken):
        Seal([OLD]).open(sealed, place, conversation)


@pytest.mark.parametrize("rubbish", [b"", b"\x01", b"\x01" * 30, b"plain text, never sealed by anybody", b"\x02" * 60])
def test_what_was_never_sealed_is_refused(rubbish):
    with pytest.raises(SealBroken):
        Seal([OLD]).open(rubbish, "memory:1", "chat")


def test_the_same_value_is_sealed_differently_each_time():
    assert len({Seal([OLD]).close(b"same", "a", "b") for _ in range(100)}) == 100


def test_the_first_key_seals_and_every_key_opens_what_it_sealed():
    before = Seal([OLD]).close(b"before", "a", "b")
    during, after = Seal([NEW, OLD]), Seal([NEW])
    assert during.open(before, "a", "b") == b"before"
    assert after.open(during.close(b"now", "a", "b"), "a", "b") == b"now"
    with pytest.raises(SealBroken, match="not among MEMORY_KEYS"):
        after.open(before, "a", "b")


def test_keys_of_the_settings_are_read_in_both_alphabets(tmp_path):
    key = b"\xfb\xff" * 16
    plain = read_seal(settings(tmp_path, memory_keys=base64.b64encode(key).decode()))
    safe = read_seal(settings(tmp_path, memory_keys=f" {base64.urlsafe_b64encode(key).decode()} "))
    assert safe.open(plain.close(b"value", "a", "b"), "a", "b") == b"value"
    assert not (tmp_path / FILE_NAME).exists()


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    sealed = read_seal(settings(tmp_path / "data")).close(b"value", "a", "b")
    assert read_seal(settings(tmp_path / "data")).open(sealed, "a", "b") == b"value"
    assert (tmp_path / "data" / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_damaged_key_file_is_named_with_what_to_do(tmp_path):
    (tmp_path / FILE_NAME).write_text("not a key")
    with pytest.raises(SettingsInvalid, match=r"memory\.key is damaged: delete it"):
        kept_key(tmp_path / FILE_NAME)


@pytest.mark.parametrize("key", ["short", "A" * 43 + "B", base64.b64encode(b"x" * 16).decode(), "ä" * 44])
def test_a_wrong_key_in_the_settings_is_refused_without_repeating_it(tmp_path, key):
    good = base64.b64encode(NEW).decode()
    with pytest.raises(ValueError, match="key 2 is not 32 bytes in base64"):
        settings(tmp_path, memory_keys=f"{good},{key}")
