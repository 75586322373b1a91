"""The page for those who connect their own back office: its examples are of the shapes that are believed."""

import re

import pytest
from pydantic import TypeAdapter

from bot.backoffice import http, office
from bot.settings import ROOT

PAGE = (ROOT / "docs" / "backoffice.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```json (\S+)\n(.+?)```", PAGE, re.DOTALL)
SHAPES = {
    "CustomerAccount": office.CustomerAccount,
    "list[Invoice]": list[office.Invoice],
    "list[Visit]": list[office.Visit],
    "list[Slot]": list[office.Slot],
    "list[Outage]": list[office.Outage],
}


@pytest.mark.parametrize(("shape", "text"), EXAMPLES, ids=[shape for shape, _ in EXAMPLES])
def test_an_example_of_the_page_is_of_its_shape(shape, text):
    assert TypeAdapter(SHAPES[shape]).validate_json(text)


def test_the_page_shows_every_shape_and_names_the_limits():
    assert {shape for shape, _ in EXAMPLES} == set(SHAPES)
    assert f"at most {http.MOST_BYTES // 1024} KiB and {http.MOST_ROWS} rows" in PAGE
    assert f"within {http.SECONDS} seconds" in PAGE
