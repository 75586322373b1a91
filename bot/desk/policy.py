"""The policy of the desk as data: hours, priorities, teams, offers, waits and outcomes (`bot/policies/desk.yaml`)."""

import re
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from bot.domain import Reason
from bot.errors import SettingsInvalid
from bot.patterns import POLICIES

DESK_FILE = POLICIES / "desk.yaml"
MIDNIGHT = 24 * 60
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")

Span = tuple[int, int]
"""From and to, in minutes of the local day."""


def read_span(value: object) -> Span:
    """The minutes of "08:00-20:00". Raises ValueError saying how to write it."""
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f'write a span of hours as "08:00-20:00", in quotes (is {value!r})')
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if not start < end <= MIDNIGHT:
        raise ValueError(f"{value}: the end must come after the beginning, and not after 24:00")
    return start, end


def check_spans(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """The spans of a day in order. Raises ValueError where two overlap."""
    ordered = tuple(sorted(spans))
    if any(later[0] < earlier[1] for earlier, later in pairwise(ordered)):
        raise ValueError("two spans of this day overlap")
    return ordered


def check_zone(name: str) -> str:
    """A time zone's name. Raises ValueError for one that is not known."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write it as in Europe/London") from None
    return name


def read_day(value: object) -> object:
    """Let a date in quotes be a date too."""
    return date.fromisoformat(value) if isinstance(value, str) else value


Spans = Annotated[tuple[Annotated[Span, BeforeValidator(read_span)], ...], AfterValidator(check_spans)]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Holiday(_Form):
    """A date with hours of its own."""

    date: Annotated[date, BeforeValidator(read_day)]
    name: str = Field(min_length=1, max_length=80)
    hours: Spans = ()


class Week(_Form):
    """The hours of each day of the week."""

    monday: Spans
    tuesday: Spans
    wednesday: Spans
    thursday: Spans
    friday: Spans
    saturday: Spans
    sunday: Spans


class Offers(_Form):
    """How waiting chats reach agents."""

    mode: Literal["offer", "pull"] = "offer"
    seconds: float = Field(30, ge=1, le=600)


class Waits(_Form):
    """From how many recent waits of how many hours a range is told."""

    fewest: int = Field(5, ge=3)
    most: int = Field(20, ge=3, le=500)
    hours: float = Field(3, gt=0, le=72)


class Policy(_Form):
    """The whole file."""

    time_zone: Annotated[str, AfterValidator(check_zone)]
    hours: Week
    holidays: tuple[Holiday, ...] = ()
    priorities: tuple[tuple[Reason, ...], ...] = ((Reason.CRISIS,),)
    teams: Mapping[str, tuple[str, ...]] = {}
    offers: Offers = Offers()
    waits: Waits = Waits()
    outcomes: Mapping[str, str] = Field(min_length=1)
    solved: tuple[str, ...] = ("solved", "explained")
    live_minutes: int = Field(15, ge=0, le=240)

    @model_validator(mode="after")
    def _check_whole(self) -> "Policy":
        dates = [holiday.date for holiday in self.holidays]
        if repeated := next((day for day in dates if dates.count(day) > 1), None):
            raise ValueError(f"holidays: {repeated} is named twice")
        if not self.priorities or Reason.CRISIS not in self.priorities[0]:
            raise ValueError("priorities: crisis must be in the first group")
        return self

    def rank(self, reason: str) -> int:
        """How urgent a reason is; 0 is most."""
        return next((rank for rank, group in enumerate(self.priorities) if reason in group), len(self.priorities))

    def team_of(self, intent: str) -> str | None:
        """The team that looks after an intent."""
        return next((team for team, intents in self.teams.items() if intent in intents), None)


def read_policy(path: Path = DESK_FILE) -> Policy:
    """The desk's policy. Raises SettingsInvalid naming the file and every place that is wrong."""
    try:
        raw: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Policy.model_validate(raw)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsInvalid(f"{path}: cannot be read as YAML: {error}") from None
    except ValidationError as invalid:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'the file'}: {_told(e['msg'])}" for e in invalid.errors()]
        raise SettingsInvalid("\n  ".join([f"{path} cannot be used:", *lines])) from None


def _told(message: str) -> str:
    return message.removeprefix("Value error, ")
