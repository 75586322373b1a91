import re
from pathlib import Path

import pytest
import yaml

from bot.errors import IntentsInvalid
from bot.intents import Intents, Route, read_intents

LARKFIELD = Path(__file__).parents[2] / "knowledge" / "intents.yaml"
ASKED_FOR = frozenset(
    "login_account billing_question billing_dispute payment_problem plan_change new_order broadband_fault mobile_fault "
    "appointment moving_home outage cancel complaint privacy_request human greeting off_topic".split()
)


def intent(name: str, **fields: object) -> dict[str, object]:
    examples = [f"{name} example number {number}" for number in "one two three four five".split()]
    return {"name": name, "description": "What it is for.", "route": "answer", "examples": examples} | fields


def read(tmp_path: Path, text: str) -> Intents:
    file = tmp_path / "intents.yaml"
    file.write_text(text, encoding="utf-8")
    return read_intents(file)


def problems(tmp_path: Path, *intents: object) -> str:
    with pytest.raises(IntentsInvalid) as refused:
        read(tmp_path, yaml.safe_dump({"intents": list(intents)}, sort_keys=False))
    return str(refused.value)


def test_larkfields_file_holds_every_intent_with_enough_examples():
    read = read_intents(LARKFIELD)
    assert {one.name for one in read.intents} >= ASKED_FOR
    assert all(len(one.examples) >= 25 for one in read.intents)
    assert read.out_of_scope is not None
    assert read.out_of_scope.name == "off_topic"
    assert read.out_of_scope not in read.in_scope


def test_sensitive_intents_are_marked():
    sensitive = {one.name for one in read_intents(LARKFIELD).intents if one.sensitive}
    assert sensitive >= {"billing_dispute", "complaint", "privacy_request", "scam_report", "extra_care"}


def test_an_intent_is_found_by_name():
    read = read_intents(LARKFIELD)
    human = read.named("human")
    assert human is not None
    assert human.route is Route.HUMAN
    assert read.named("nothing") is None


def test_an_intent_may_name_the_article_whose_vetted_answer_is_given(tmp_path: Path):
    named = yaml.safe_dump({"intents": [intent("login", answer="reset-password"), intent("billing")]})
    assert [one.answer for one in read(tmp_path, named).intents] == ["reset-password", None]
    assert "login: answer" in problems(tmp_path, intent("login", answer="two words"), intent("billing"))


def test_all_mistakes_are_told_at_once_with_line_and_name(tmp_path: Path):
    text = problems(
        tmp_path,
        intent("login"),
        intent("login"),
        intent("bill", route="anser"),
        intent("move", examples=["only one"]),
        intent("cancel", rout="answer", sensitive="perhaps"),
    )
    assert "login: this name was used before, in line 2" in text
    assert "bill: route: must be one of answer, tool, human, courtesy, decline (is 'anser')" in text
    assert "move: examples: needs at least 5, has 1" in text
    assert "cancel: rout: unknown key" in text
    assert "cancel: sensitive:" in text
    assert len(re.findall(r"\n  line \d+: ", text)) == 5


def test_a_mistake_names_the_line_it_stands_in(tmp_path: Path):
    lines = problems(tmp_path, intent("login"), intent("bill", route="anser")).splitlines()
    number = int(lines[1].split()[1].rstrip(":"))
    assert (tmp_path / "intents.yaml").read_text().splitlines()[number - 1].strip() == "route: anser"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no intents"),
        ("# only a comment\n", "holds no intents"),
        ("just a sentence", "holds no intents"),
        ("intents: [\n  {name: a", "not YAML"),
        ("intents: {}\n", "intents: Input should be a valid list"),
        ("intents:\n  - hello\n  - 3\n", "intent 1: "),
        ("intents: []\nextra: 1\n", "extra: unknown key; known are intents"),
        ("intents: [!!python/object/apply:os.getcwd []]\n", "not YAML"),
    ],
)
def test_what_is_no_intents_file_is_refused_in_words(tmp_path: Path, text: str, said: str):
    with pytest.raises(IntentsInvalid, match=re.escape(said)):
        read(tmp_path, text)


def test_a_missing_or_binary_file_is_refused_in_words(tmp_path: Path):
    with pytest.raises(IntentsInvalid, match="cannot be read"):
        read_intents(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(IntentsInvalid, match="not UTF-8"):
        read_intents(tmp_path / "binary.yaml")


def test_a_key_that_comes_twice_is_refused(tmp_path: Path):
    text = yaml.safe_dump({"intents": [intent("login"), intent("bill")]}, sort_keys=False)
    with pytest.raises(IntentsInvalid, match="route: this key comes twice"):
        read(tmp_path, text.replace("  route: answer\n", "  route: answer\n  route: human\n", 1))


def test_the_same_example_in_two_intents_is_refused(tmp_path: Path):
    copied = intent("bill", examples=[*map(str, range(4)), "Login  example number ONE"])
    assert "is an example of login already" in problems(tmp_path, intent("login"), copied)


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("(", "is not a regular expression"),
        ("x*", "matches every message"),
        ("number two", "matches an example of login"),
    ],
)
def test_a_keyword_that_cannot_settle_an_intent_is_refused(tmp_path: Path, keyword: str, said: str):
    assert said in problems(tmp_path, intent("login"), intent("bill", keywords=[keyword]))


def test_only_one_intent_may_be_out_of_scope(tmp_path: Path):
    declined = [intent("weather", route="decline"), intent("poems", route="decline")]
    text = problems(tmp_path, intent("login"), intent("bill"), *declined)
    assert "poems: only one intent may have the route 'decline'" in text


def test_the_digest_changes_with_the_file(tmp_path: Path):
    text = yaml.safe_dump({"intents": [intent("login"), intent("bill")]})
    assert read(tmp_path, text).digest != read(tmp_path, text + "\n").digest


def test_follow_ups_belong_to_no_intent(tmp_path: Path):
    form = {"intents": [intent("login"), intent("bill")], "follow_ups": ["how much is that", "Login example  number one"]}
    with pytest.raises(IntentsInvalid, match=r"line 22: follow_ups: .* is an example of login already"):
        read(tmp_path, yaml.safe_dump(form, sort_keys=False))
    form["follow_ups"] = ["how much is that"]
    assert read(tmp_path, yaml.safe_dump(form, sort_keys=False)).follow_ups == ("how much is that",)
