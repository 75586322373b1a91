"""Reads what an errand needs from a customer's words: numbers, postcodes, days, times, and choices from a list."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

from bot.plain import plain
from bot.tools.network_tools import tidy_postcode

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = "january february march april may june july august september october november december".split()
PARTS = {"morning": 8, "afternoon": 12, "noon": 12, "lunchtime": 12, "midday": 12, "evening": 17, "night": 17, "tonight": 17}
PLACES = {
    "first": 1, "1st": 1, "one": 1, "second": 2, "2nd": 2, "two": 2, "third": 3, "3rd": 3, "three": 3, "fourth": 4, "4th": 4,
    "four": 4, "fifth": 5, "5th": 5, "five": 5, "sixth": 6, "6th": 6, "six": 6,
}  # fmt: skip
FILLER = frozenset(
    "the one ones number option please my it's its is i mean want would like that on at for a an of thanks um".split()
)
_POSTCODE = re.compile(r"\b[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}\b")
_TICKET = re.compile(r"\b(?:t-?|ticket (?:number |no\.? ?|# ?)?)(\d{5,9})\b", re.IGNORECASE)
_VISIT = re.compile(r"\bfv-?(\d{5,8})\b", re.IGNORECASE)
_BILL = re.compile(r"\b(lk[bm])-?(\d{6,10})\b", re.IGNORECASE)
_ISO = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")
_NUMERIC = re.compile(r"\b(\d{1,2})[/.](\d{1,2})\b")
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in MONTHS)
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH})\b")
_MONTH_DAY = re.compile(rf"\b({_MONTH}) (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?\b")
_HOUR = re.compile(
    r"\b(\d{1,2})(?:[:.]00)? ?(am|pm)\b|\b(\d{1,2}) ?(?:to|-|until|till) ?\d{1,2}(?: ?[ap]m)?\b|\bat (\d{1,2})\b"
)
_WEEKDAY = re.compile(r"\b(mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:day)?s?\b")


def read_postcode(text: str) -> str:
    """A whole postcode in the text, or ""."""
    found = _POSTCODE.search(text)
    return tidy_postcode(found[0]) if found else ""


def read_ticket(text: str) -> str:
    """A ticket's number, or ""."""
    found = _TICKET.search(text)
    return f"T-{found[1]}" if found else ""


def read_visit(text: str) -> str:
    """A visit's number, or ""."""
    found = _VISIT.search(text)
    return f"FV-{found[1]}" if found else ""


def read_bill(text: str) -> str:
    """A bill's number, or ""."""
    found = _BILL.search(text)
    return f"{found[1].upper()}-{found[2]}" if found else ""


def read_day(text: str, today: date) -> date | None:
    """The day that is named, from today on; a weekday is the next one of that name."""
    said = plain(text)
    if found := _ISO.search(text):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if re.search(r"\btomorrow\b", said):
        return today + timedelta(days=1)
    named = _named_day(said, text, today)
    if named or not (found := _WEEKDAY.search(said)):
        return named
    ahead = (next(n for n, day in enumerate(DAYS) if day.startswith(found[1][:3])) - today.weekday() - 1) % 7 + 1
    return today + timedelta(days=ahead)


def read_hour(text: str) -> int | None:
    """The hour that is named: 9am, 9 to 12, in the afternoon (12), in the evening (17)."""
    said = plain(text)
    for word, hour in PARTS.items():
        if re.search(rf"\b{word}\b", said):
            return hour
    if not (found := _HOUR.search(said)):
        return None
    hour = int(found[1] or found[3] or found[4])
    if found[2]:
        return hour % 12 + (12 if found[2] == "pm" else 0)
    return hour + 12 if hour < 8 else hour if hour < 24 else None


def choose(text: str, options: Sequence[str]) -> int | None:
    """The place (from 0) of the one option that a short answer names: by its place in the list, or by words of its own."""
    said = [word for word in re.findall(r"[\w'-]+", plain(text)) if word not in FILLER or word == "one"]
    meant = [word for word in said if word not in FILLER] or said
    if len(meant) == 1 and meant[0] in ("last", "latter"):
        return len(options) - 1
    places = {int(word) if word.isdigit() else PLACES[word] for word in meant if word.isdigit() or word in PLACES}
    if len(places) == 1 and all(word.isdigit() or word in PLACES for word in meant):
        place = places.pop()
        return place - 1 if 1 <= place <= len(options) else None
    naming = [
        place for place, option in enumerate(options) if meant and set(meant) <= set(re.findall(r"[\w'-]+", plain(option)))
    ]
    return naming[0] if len(naming) == 1 else None


def _named_day(said: str, text: str, today: date) -> date | None:
    """24 November, November 24, 24/11: this year's, or next year's once it is over."""
    day = month = 0
    if found := _DAY_MONTH.search(said):
        day, month = int(found[1]), _month(found[2])
    elif found := _MONTH_DAY.search(said):
        day, month = int(found[2]), _month(found[1])
    elif found := _NUMERIC.search(text):
        day, month = int(found[1]), int(found[2])
    this_year = _date(today.year, month, day)
    return this_year if this_year is None or this_year >= today else _date(today.year + 1, month, day)


def _month(word: str) -> int:
    return next(n for n, name in enumerate(MONTHS, start=1) if name.startswith(word[:3]))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
