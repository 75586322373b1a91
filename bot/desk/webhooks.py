"""Webhooks: signed, from an outbox that survives a restart, retried with growing pauses, told apart by their id.

A target that answers with anything but 2xx, or not at all, is tried again after 2, 4, 8 … seconds, at most an hour apart,
for three days. The receiver checks `X-Frontdesk-Signature: t=<seconds>,v1=<hex>`, the HMAC-SHA256 of `<t>.<body>` under
WEBHOOK_SECRET, and drops an `X-Frontdesk-Delivery` that it had before.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any

from bot.desk.packet import say_reason
from bot.errors import LogUnavailable
from bot.roster import Delivery, Roster

ANSWER_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 3600.0
MOST_ATTEMPTS = 84
"""Twelve that double, then one an hour: three days."""
AT_ONCE = 4
LOOK_SECONDS = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where events go, and how they are written there."""

    name: str
    url: str
    write: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    secret: str = ""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """A webhook's address is where it is; what it redirects to was not chosen by us."""


_OPENER = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))


def plain_event(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event as it is."""
    return event


def slack_event(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event as a Slack-compatible message (Slack, Mattermost, Rocket.Chat): `{"text": …}`, nothing of it markup."""
    reason = say_reason(str(event.get("reason", "")))
    told = {
        "escalation": f"A customer needs a person: {reason}.",
        "claim": f"{event.get('agent')} has taken the chat after {event.get('waited_seconds', 0):.0f} s ({reason}).",
        "close": f"A chat has ended: {str(event.get('outcome')).replace('_', ' ')} ({reason}).",
    }[str(event["event"])]
    return {"text": told.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}


def sign(secret: str, body: bytes, seconds: int) -> str:
    """The signature's header for a body sent at this second."""
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def pause_seconds(attempts: int) -> float:
    """How long to wait after so many attempts."""
    return float(min(FIRST_PAUSE_SECONDS * 2 ** (attempts - 1), LONGEST_PAUSE_SECONDS))


class Webhooks:
    """Sends what is owed; every process may have one, each delivery is one process's at a time."""

    def __init__(self, roster: Roster, targets: Mapping[str, Target]) -> None:
        self._roster, self._targets = roster, targets
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send, if there is anywhere to send to."""
        if self._targets:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Send no more; what is owed is sent after the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def send_due(self, now: datetime) -> int:
        """Try what is due; how many there were. Raises LogUnavailable."""
        due = await self._roster.take_due(now, now + timedelta(seconds=6 * ANSWER_SECONDS), AT_ONCE)
        await asyncio.gather(*(self._send(delivery, now) for delivery in due))
        return len(due)

    async def _run(self) -> None:
        while True:
            try:
                while await self.send_due(datetime.now(UTC)):
                    pass
            except LogUnavailable as failure:
                logger.warning("webhooks wait for the database: %s", failure)
            await asyncio.sleep(LOOK_SECONDS)

    async def _send(self, delivery: Delivery, now: datetime) -> None:
        target = self._targets.get(delivery.target)
        if target is None:
            return await self._roster.settle(delivery, None, "no such target any more")
        error = await asyncio.to_thread(post, target, delivery)
        if error and delivery.attempts < MOST_ATTEMPTS:
            pause = pause_seconds(delivery.attempts)
            logger.warning("webhook %s: %s; again in %.0f s", target.name, error, pause)
            return await self._roster.settle(delivery, now + timedelta(seconds=pause), error)
        if error:
            logger.error("webhook %s: %s was given up: %s", target.name, delivery.id, error)
        await self._roster.settle(delivery, None, error)


def post(target: Target, delivery: Delivery) -> str:
    """Send it; what went wrong, or nothing. Takes up to some seconds: call it in a thread."""
    body = json.dumps(target.write(delivery.body), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "X-Frontdesk-Delivery": delivery.id, "User-Agent": "Frontdesk"}
    if target.secret:
        headers["X-Frontdesk-Signature"] = sign(target.secret, body, int(time.time()))
    request = urllib.request.Request(target.url, body, headers, method="POST")  # noqa: S310  settings allow http(s) only
    try:
        with _OPENER.open(request, timeout=ANSWER_SECONDS) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as answer:
        answer.close()
        return f"answered {answer.code}"
    except (OSError, HTTPException, ValueError) as failure:
        return f"cannot be reached ({type(failure).__name__})"
    return ""
