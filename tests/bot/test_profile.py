"""What every store of profiles promises: in memory, SQLite and PostgreSQL; and what a turn teaches about its customer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain import ConversationId, CustomerId, Entry, EntryId, Kind, Outcome, Reason, Speaker
from bot.learning import learn_from
from bot.profile import MOST, Known, Profiles, Trait
from bot.profile_memory import MemoryProfiles
from bot.sql.log import open_log

ANN, BEN, VISITOR = CustomerId("ann"), CustomerId("ben"), CustomerId("visitor-7d1c")
NOW = datetime.now(UTC).replace(microsecond=0)
CHAT = ConversationId("chat")


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def profiles(request: pytest.FixtureRequest, tmp_path) -> AsyncIterator[Profiles]:
    if request.param == "memory":
        yield MemoryProfiles(days=30)
        return
    log = open_log(None if request.param == "sqlite" else request.getfixturevalue("postgres_schema"), tmp_path)
    yield log.profiles(days=30)
    await log.close()


def known(trait: Trait, value: str, days_ago: float = 0, entry: str = "e1") -> Known:
    at = NOW - timedelta(days=days_ago)
    return Known(trait=trait, value=value, conversation=CHAT, entry=EntryId(entry), at=at)


PLAN = known(Trait.PLAN, "Full Fibre 300")


async def test_what_is_learnt_is_told_with_its_source_and_date_and_only_about_that_customer(profiles):
    assert await profiles.profile(ANN) == []
    name, device = known(Trait.NAME, "Ann Müller 日本", 2, "e7"), known(Trait.DEVICE, "Hub 3", 1)
    await profiles.learn(ANN, [device, PLAN])
    await profiles.learn(ANN, [name])
    await profiles.learn(BEN, [known(Trait.NAME, "Ben")])
    assert await profiles.profile(ANN) == [name, PLAN, device]


async def test_the_same_thing_said_again_is_dated_anew_and_an_older_source_changes_nothing(profiles):
    await profiles.learn(ANN, [known(Trait.PLAN, "SIM 25", 5, "first")])
    again = known(Trait.PLAN, "sim  25", 1, "second")
    await profiles.learn(ANN, [again])
    await profiles.learn(ANN, [known(Trait.PLAN, "SIM 25", 9, "older")])
    assert await profiles.profile(ANN) == [again]


async def test_of_each_kind_the_latest_few_are_kept(profiles):
    for number in range(14):
        await profiles.learn(
            ANN, [known(Trait.NAME, f"Ann {number}", 20 - number), known(Trait.ISSUE, f"{number}", 20 - number)]
        )
    told = await profiles.profile(ANN)
    assert [one.value for one in told if one.trait is Trait.NAME] == ["Ann 13"]
    assert [one.value for one in told if one.trait is Trait.ISSUE] == [str(n) for n in range(13, 13 - MOST[Trait.ISSUE], -1)]


async def test_an_anonymous_customer_has_no_profile(profiles):
    await profiles.learn(VISITOR, [PLAN])
    assert await profiles.profile(VISITOR) == []
    assert await profiles.expire(NOW + timedelta(days=1)) == 0


async def test_what_is_forgotten_is_gone_one_trait_or_all_and_nobody_elses(profiles):
    for customer in (ANN, BEN):
        await profiles.learn(customer, [PLAN, known(Trait.NAME, "X"), known(Trait.ISSUE, "late fee (answered)")])
    assert await profiles.forget(ANN, Trait.NAME) == 1
    assert {one.trait for one in await profiles.profile(ANN)} == {Trait.PLAN, Trait.ISSUE}
    assert await profiles.forget(ANN) == 2
    assert await profiles.forget(ANN) == 0
    assert await profiles.profile(ANN) == []
    assert len(await profiles.profile(BEN)) == 3


async def test_what_is_too_old_is_not_told_and_then_deleted(profiles):
    await profiles.learn(ANN, [known(Trait.PLAN, "SIM 5", 31), known(Trait.DEVICE, "Hub 2", 29)])
    assert [one.value for one in await profiles.profile(ANN)] == ["Hub 2"]
    assert await profiles.expire(NOW - timedelta(days=30)) == 1
    assert await profiles.expire(NOW - timedelta(days=30)) == 0


async def test_twenty_turns_at_once_learn_together(profiles):
    await asyncio.gather(*(profiles.learn(ANN, [known(Trait.ISSUE, f"issue {n % 8}", n / 10), PLAN]) for n in range(20)))
    assert len(await profiles.profile(ANN)) == 9


@pytest.mark.parametrize("value", ["half \ud800 a character", "nul \x00"])
async def test_what_cannot_be_stored_is_left_out_and_the_rest_is_kept(profiles, value):
    await profiles.learn(ANN, [known(Trait.DEVICE, value), PLAN])
    assert PLAN in await profiles.profile(ANN)


async def test_an_erasure_of_the_records_takes_the_profile_too(tmp_path):
    log = open_log(None, tmp_path)
    profiles = log.profiles(days=30)
    await profiles.learn(ANN, [known(Trait.PLAN, "CANARY-9041")])
    assert "CANARY-9041" in str(await log.records.export(ANN))
    await log.records.erase(ANN)
    assert await profiles.profile(ANN) == []
    await log.close()
    assert not any(b"CANARY-9041" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def asked(text: str) -> Entry:
    return Entry(
        conversation=CHAT, seq=1, id=EntryId("q"), speaker=Speaker.CUSTOMER, kind=Kind.MESSAGE, text=text, data={}, at=NOW
    )


def reply(outcome: Outcome = Outcome.GREETED, **data) -> Entry:
    return Entry(
        conversation=CHAT,
        seq=2,
        id=EntryId("r"),
        speaker=Speaker.BOT,
        kind=Kind.MESSAGE,
        text="You have the Hub Pro and your name is Bob.",
        data={"outcome": outcome, **data},
        at=NOW,
        answers=1,
    )


def learnt(text: str, answer: Entry | None = None) -> set[tuple[str, str, str]]:
    return {(one.trait, one.value, one.entry) for one in learn_from(asked(text), answer or reply())}


def test_what_customers_say_of_themselves_is_learnt_and_what_they_or_a_model_only_name_is_not():
    said = (
        "My name is Ann Lee. I'm on Essential 40 with our old Hub 2. Is Full Fibre 900 better? Please only text me after 5pm"
    )
    assert learnt(said) == {
        ("name", "Ann Lee", "q"),
        ("plan", "Essential 40", "q"),
        ("device", "Hub 2", "q"),
        ("preference", "Please only text me after 5pm", "q"),
    }


def test_what_tools_found_out_is_learnt_from_the_reply_that_holds_it():
    found = reply(facts=[["plan", "SIM 100"], ["booking", "B-7"], ["issue", "x"], ["name"], 7])
    assert learnt("what plan do I have?", found) == {("plan", "SIM 100", "r")}


@pytest.mark.parametrize(
    ("outcome", "became"),
    [
        (Outcome.ANSWERED, "answered"),
        (Outcome.ABSTAINED, "not answered"),
        (Outcome.HANDED_OVER, "handed over to a colleague"),
    ],
)
def test_a_question_and_what_became_of_it_are_learnt_as_it_was_understood(outcome, became):
    answer = reply(outcome, turn={"question": "why is my bill so high mobile bill"})
    assert learnt("the second one", answer) == {("issue", f"why is my bill so high mobile bill ({became})", "r")}


@pytest.mark.parametrize("text", ["thanks, that worked", "hello", "ok"])
def test_small_talk_is_no_issue(text):
    assert learnt(text, reply(Outcome.ANSWERED)) == set()


@pytest.mark.parametrize("reason", [Reason.CRISIS, Reason.SENSITIVE, Reason.ABUSE, Reason.LEGAL])
def test_nothing_is_learnt_from_a_turn_about_something_sensitive(reason):
    answer = reply(Outcome.HANDED_OVER, escalation={"reason": reason})
    assert learnt("my name is Ann Lee and I cannot go on like this", answer) == set()


@pytest.mark.parametrize("number", ["4111 1111 1111 1111", "ann@example.com", "07700 900123", "GB82 WEST 1234 5698 7654 32"])
def test_personal_numbers_are_never_learnt(number):
    assert learnt(f"why was {number} charged twice by you", reply(Outcome.ANSWERED)) == set()


def test_a_very_long_question_is_shortened():
    [(_, value, _)] = learnt("why " * 500, reply(Outcome.ANSWERED))
    assert len(value) <= 200
    assert value.endswith("… (answered)")
