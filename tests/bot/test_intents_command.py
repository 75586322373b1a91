"""The intents of any company: in use until a company has its own, and what its own file begins with."""

from pathlib import Path

import pytest

from bot.__main__ import run_intents
from bot.classify import open_reader
from bot.errors import SettingsInvalid
from bot.intents import Route, read_intents
from bot.intents_command import start_intents
from bot.settings import Settings
from bot.settings_place import GENERIC_INTENTS, LARKFIELDS_INTENTS
from knowledge.embed import Embedder


def test_another_company_than_larkfield_begins_with_the_intents_of_any_company(tmp_path: Path) -> None:
    assert Settings(_env_file=None).intents_file == LARKFIELDS_INTENTS
    assert Settings(_env_file=None, company="Nordhem").intents_file == GENERIC_INTENTS
    own = Settings(_env_file=None, company="Nordhem", intents_file=tmp_path / "own.yaml")
    assert own.intents_file == tmp_path / "own.yaml"


def test_what_any_company_is_asked_is_read_as_that_and_no_product_is_off_topic(tmp_path: Path) -> None:
    reader = open_reader(read_intents(GENERIC_INTENTS), Embedder(), tmp_path)
    read = {text: reader.read(text, {}).name for text in ASKED}
    assert read == ASKED
    assert not list(tmp_path.iterdir()), "it is shipped learned"


ASKED = {
    "how do I assemble the wardrobe": "how_to",
    "how do i wash the sofa cover": "how_to",
    "does the shelf come in blue": "product_question",
    "are these boots true to size": "product_question",
    "the table came with a broken leg": "fault_or_damage",
    "do you ship to france": "delivery",
    "wheres my order": "order_status",
    "when do i get my money back": "refund",
    "klarna?": "payment_problem",
    "my voucher code is rejected": "new_order",
    "opening hours leeds": "contact",
    "i want to complain": "complaint",
    "get me a person": "human",
    "my mother died and she had an order with you": "extra_care",
    "whats the weather tomorrow": "off_topic",
    "my internet is down": "off_topic",
}


def test_the_intents_of_any_company_speak_of_no_telecom_company() -> None:
    words = GENERIC_INTENTS.read_text(encoding="utf-8").lower()
    assert not [word for word in ("broadband", "router", "fibre", "voicemail", "esim") if word in words]
    read = read_intents(GENERIC_INTENTS)
    assert {"human", "extra_care"} <= {one.name for one in read.intents}, "the rules name these"
    assert {one.route for one in read.intents} == set(Route)
    assert all(len(one.examples) >= 25 for one in read.intents)


def test_a_file_of_ones_own_begins_as_a_copy_and_is_never_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.yaml"
    assert run_intents(own) == 0
    assert "INTENTS_FILE=" in capsys.readouterr().out
    assert read_intents(own).digest == read_intents(GENERIC_INTENTS).digest
    own.write_text("mine")
    assert run_intents(own) == 1
    assert "left as it is" in capsys.readouterr().err
    assert own.read_text() == "mine"
    with pytest.raises(SettingsInvalid, match="cannot be written"):
        start_intents(tmp_path / "no folder" / "own.yaml")
