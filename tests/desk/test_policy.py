"""Opening hours by the local clock, and a policy file whose mistakes are told with their places."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from bot.desk.hours import Hours, say_opening
from bot.desk.policy import DAYS, DESK_FILE, Policy, read_policy
from bot.errors import SettingsInvalid


def shipped(**changes: object) -> dict[str, object]:
    return {**yaml.safe_load(DESK_FILE.read_text(encoding="utf-8")), **changes}


def hours(**changes: object) -> Hours:
    return Hours(Policy.model_validate(shipped(**changes)))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-20 07:59", False),  # a Friday; London is on UTC in winter
        ("2026-11-20 08:00", True),
        ("2026-11-20 19:59", True),
        ("2026-11-20 20:00", False),
        ("2026-07-03 07:30", True),  # a Friday in summer: 8:30 in London
        ("2026-07-03 19:30", False),
        ("2026-11-22 09:59", False),  # a Sunday
        ("2026-11-22 10:00", True),
        ("2026-12-25 12:00", False),  # Christmas
        ("2026-12-28 12:00", True),  # a bank holiday's shorter hours
        ("2026-12-28 17:00", False),
    ],
)
def test_the_desk_is_open_by_londons_clock(moment, is_open):
    assert hours().is_open(at(moment)) is is_open


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2026-11-20 05:00", "at 8:00"),
        ("2026-11-20 21:00", "tomorrow at 9:00"),
        ("2026-11-21 19:00", "tomorrow at 10:00"),
        ("2026-12-24 21:00", "on Saturday at 10:00"),  # over Christmas Day
        ("2026-10-24 19:00", "tomorrow at 10:00"),  # clocks go back that night
        ("2026-03-28 19:00", "tomorrow at 10:00"),  # clocks go forward that night
    ],
)
def test_the_next_opening_is_said_as_people_say_it(moment, told):
    opening = hours().next_opening(at(moment))
    assert opening is not None
    assert say_opening(opening, at(moment)) == told


def test_a_day_on_which_the_clock_changes_opens_by_its_own_clock():
    night = hours(hours={day: ["01:30-03:00"] for day in DAYS})
    assert night.is_open(at("2026-10-25 00:30"))  # the first 1:30, in summer time
    assert night.is_open(at("2026-10-25 02:59"))  # 2:59 in winter time
    assert not night.is_open(at("2026-10-25 03:00"))


def test_a_desk_that_never_opens_has_no_next_opening():
    closed = hours(hours={day: [] for day in DAYS}, holidays=[])
    assert closed.next_opening(at("2026-11-20 12:00")) is None
    assert not closed.is_open(at("2026-11-20 12:00"))


def test_a_day_may_run_to_midnight():
    late = hours(hours={**shipped()["hours"], "friday": ["20:00-24:00"]})
    assert late.is_open(at("2026-11-20 23:59"))
    assert not late.is_open(at("2026-11-21 00:00"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"time_zone": "Europe/Lundon"}, "time_zone: 'Europe/Lundon' is no time zone"),
        ({"hours": {"monday": ["8-20"]}}, 'hours.monday.0: write a span of hours as "08:00-20:00", in quotes'),
        ({"hours": {"monday": ["20:00-08:00"]}}, "hours.monday.0: 20:00-08:00: the end must come after the beginning"),
        ({"hours": {"monday": ["08:00-12:00", "11:00-15:00"]}}, "hours.monday: two spans of this day overlap"),
        ({"holidays": [{"date": "2026-02-30", "name": "No day"}]}, "holidays.0.date"),
        (
            {"holidays": [{"date": "2026-12-25", "name": "A"}, {"date": "2026-12-25", "name": "B"}]},
            "2026-12-25 is named twice",
        ),
        ({"priorities": [["asked"]]}, "crisis must be in the first group"),
        ({"priorities": [["crisis", "boredom"]]}, "priorities.0.1"),
        ({"offers": {"mode": "shout"}}, "offers.mode"),
        ({"outcomes": {}}, "outcomes"),
        ({"oops": 1}, "oops"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, changes, told):
    if "hours" in changes:
        changes = {"hours": {**shipped()["hours"], **changes["hours"]}}
    path = tmp_path / "desk.yaml"
    path.write_text(yaml.safe_dump(shipped(**changes)), encoding="utf-8")
    with pytest.raises(SettingsInvalid) as refused:
        read_policy(path)
    assert str(path) in str(refused.value)
    assert told in str(refused.value)


@pytest.mark.parametrize("text", ["", "- a list", "hours: [", "\0"])
def test_a_file_that_is_no_policy_is_told_so(tmp_path, text):
    path = tmp_path / "desk.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsInvalid, match=r"desk\.yaml"):
        read_policy(path)


def test_every_mistake_is_told_at_once(tmp_path):
    path = tmp_path / "desk.yaml"
    path.write_text(yaml.safe_dump(shipped(time_zone="Mars", outcomes={}, oops=1)), encoding="utf-8")
    with pytest.raises(SettingsInvalid) as refused:
        read_policy(path)
    assert len(str(refused.value).splitlines()) == 4
