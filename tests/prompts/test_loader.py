"""Prompt files: a mistake in one is an error that names the file, never a bad prompt."""

import os

import pytest

from bot.errors import PromptInvalid
from bot.prompts.loader import Prompts


def folder(tmp_path, text, name="greet"):
    (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
    return Prompts(tmp_path)


GREET = "---\nvariables: [name]\n---\nHello {{ name }}.\n"


def test_the_prompts_that_ship_can_all_be_used():
    Prompts().check()


def test_a_prompt_is_rendered_and_names_the_content_it_came_from(tmp_path):
    prompt = folder(tmp_path, GREET).render("greet", {"name": "Ann"})
    assert prompt.text == "Hello Ann."
    assert len(prompt.hash) == 12


def test_a_changed_file_is_read_again_and_has_another_hash(tmp_path):
    prompts = folder(tmp_path, GREET)
    before = prompts.render("greet", {"name": "Ann"})
    file = tmp_path / "greet.md"
    file.write_text(GREET.replace("Hello", "Good day"), encoding="utf-8")
    os.utime(file, ns=(1, 1))
    after = prompts.render("greet", {"name": "Ann"})
    assert after.text == "Good day Ann."
    assert after.hash != before.hash


@pytest.mark.parametrize("given", [{}, {"name": "Ann", "extra": 1}, {"other": 1}])
def test_a_missing_or_undeclared_variable_is_an_error_that_names_file_and_variable(tmp_path, given):
    with pytest.raises(PromptInvalid, match=r"greet\.md.*(name|extra|other)"):
        folder(tmp_path, GREET).render("greet", given)


@pytest.mark.parametrize(
    "text",
    [
        "Hello {{ name }}.",
        "---\nvariables: [name]\n---\nHello.",
        "---\nvariables: []\n---\nHello {{ name }}.",
        "---\nvariables: [name\n---\nHello {{ name }}.",
        "---\nvariables: [name]\n---\nHello {{ name .",
        "---\nother: 1\n---\nHello.",
        "",
    ],
)
def test_a_file_that_is_wrong_is_refused_by_name(tmp_path, text):
    with pytest.raises(PromptInvalid, match=r"greet\.md"):
        folder(tmp_path, text).check()


def test_what_a_variable_holds_is_data_and_is_not_rendered_again(tmp_path):
    assert folder(tmp_path, GREET).render("greet", {"name": "{{ 7 * 7 }}"}).text == "Hello {{ 7 * 7 }}."


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(PromptInvalid, match=r"nothing\.md"):
        Prompts(tmp_path).render("nothing", {})
