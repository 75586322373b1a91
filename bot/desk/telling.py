"""What webhooks are told of an escalation: that it was triggered, claimed and closed. No words of the customer's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.roster import Delivery, EscalationRecord


def deliveries(records: Sequence[EscalationRecord], targets: Sequence[str]) -> list[Delivery]:
    """What the targets are to be told of these records; the same event has the same id in every process."""
    events = [event for record in records for event in _events(record)]
    return [Delivery(id=event["id"], target=target, body=event) for event in events for target in targets]


def _events(record: EscalationRecord) -> list[dict[str, Any]]:
    moments = {"escalation": record.triggered, "claim": record.claimed, "close": record.ended}
    return [_event(record, name, moment) for name, moment in moments.items() if moment is not None]


def _event(record: EscalationRecord, name: str, moment: datetime) -> dict[str, Any]:
    seconds = {
        "claim": ("waited_seconds", record.claimed),
        "close": ("open_seconds", record.ended),
    }.get(name)
    told: dict[str, Any] = {
        "id": f"{record.conversation}-{record.seq}-{name}",
        "event": name,
        "at": moment.isoformat(timespec="seconds"),
        "conversation": record.conversation,
        "episode": record.seq,
        "reason": record.reason,
        "rule": record.rule,
    }
    if name != "escalation":
        told["agent"] = record.agent
    if name == "close":
        told["outcome"] = record.outcome
    if seconds and seconds[1]:
        told[seconds[0]] = round((seconds[1] - record.triggered).total_seconds(), 1)
    return told
