"""The documentation is held to the code: a stale table, a dead link or a command that is gone fails."""

import re
from pathlib import Path

import pytest

from bot.__main__ import with_settings_table
from bot.settings import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_readmes_settings_table_is_todays():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "| setting | default |" in readme
    assert readme == with_settings_table(readme), "stale: run `python -m bot settings --into README.md`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_command_exists(page: Path):
    named = re.findall(r"(?:`|\$ )make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) <= TARGETS
