"""When people are at the desk: open or not at a moment, and the next opening, by the local clock of the policy."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.desk.policy import DAYS, Policy

LOOKED_AHEAD_DAYS = 60


class Hours:
    """The opening hours of a policy. Moments are aware; a day with a clock change is as long as its local clock says."""

    def __init__(self, policy: Policy) -> None:
        self._zone = ZoneInfo(policy.time_zone)
        self._week = [getattr(policy.hours, day) for day in DAYS]
        self._holidays = {holiday.date: holiday for holiday in policy.holidays}

    def is_open(self, now: datetime) -> bool:
        """Whether somebody should be at the desk."""
        today = now.astimezone(self._zone).date()
        return any(start <= now < end for start, end in self._openings(today))

    def next_opening(self, now: datetime) -> datetime | None:
        """The local moment when the desk opens next; None if it does not within two months."""
        today = now.astimezone(self._zone).date()
        for ahead in range(LOOKED_AHEAD_DAYS):
            for start, _ in self._openings(today + timedelta(days=ahead)):
                if start > now:
                    return start.astimezone(self._zone)
        return None

    def holiday(self, now: datetime) -> str | None:
        """What today's holiday is called."""
        holiday = self._holidays.get(now.astimezone(self._zone).date())
        return holiday.name if holiday else None

    def local(self, moment: datetime) -> datetime:
        """The moment by the desk's clock."""
        return moment.astimezone(self._zone)

    def _openings(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        holiday = self._holidays.get(day)
        for start, end in holiday.hours if holiday else self._week[day.weekday()]:
            yield self._moment(day, start), self._moment(day, end)

    def _moment(self, day: date, minutes: int) -> datetime:
        """A local minute of the day as a moment in UTC; one that a clock change skips is the first after it."""
        whole, rest = divmod(minutes, 24 * 60)
        local = datetime.combine(day + timedelta(days=whole), time(rest // 60, rest % 60), self._zone)
        return local.astimezone(UTC)


def say_opening(opening: datetime, now: datetime) -> str:
    """When the desk opens, in words: "at 8:00", "tomorrow at 8:00", "on Monday at 8:00", "on 2 January at 8:00"."""
    days = (opening.date() - now.astimezone(opening.tzinfo).date()).days
    clock = f"at {opening.hour}:{opening.minute:02d}"
    if days <= 1:
        return clock if days == 0 else f"tomorrow {clock}"
    return f"on {opening:%A} {clock}" if days < 7 else f"on {opening.day} {opening:%B} {clock}"
