"""Webhooks against a real listener: signed, told once, tried again after a failure and after a restart."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from bot.desk.telling import deliveries
from bot.desk.webhooks import LONGEST_PAUSE_SECONDS, Target, Webhooks, pause_seconds, plain_event, slack_event
from bot.domain import AgentId, ConversationId, CustomerId
from bot.roster import EscalationRecord
from bot.sql.desk import SqlRoster
from bot.sql.store import open_store

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "a secret of the two"
RECORD = EscalationRecord(
    conversation=ConversationId("chat"),
    seq=3,
    customer=CustomerId("ana"),
    reason="asked",
    rule="asked",
    triggered=NOON - timedelta(minutes=5),
    claimed=NOON - timedelta(minutes=3),
    agent=AgentId("zoe"),
)


class Listener:
    """A webhook's receiver: what it got, and what it answers next."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        status = self.answers.pop(0) if self.answers else 200
        return web.Response(status=status, headers={"Location": self.url} if status == 302 else {})


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    app = web.Application()
    app.router.add_post("/hook", listener.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield listener
    await runner.cleanup()


@pytest.fixture
async def roster(tmp_path) -> AsyncIterator[SqlRoster]:
    store = open_store(None, tmp_path)
    roster = SqlRoster(store)
    await roster.owe(deliveries([RECORD], ["hook"]), NOON)
    yield roster
    await store.close()


def webhooks(roster: SqlRoster, url: str, **fields) -> Webhooks:
    return Webhooks(roster, {"hook": Target(name="hook", url=url, **{"write": plain_event, "secret": SECRET, **fields})})


async def test_an_event_is_signed_and_says_what_happened_but_none_of_the_customers_words(roster, listener):
    await webhooks(roster, listener.url).send_due(NOON)
    headers, body = next(one for one in listener.got if b'"claim"' in one[1])
    seconds, _, digest = headers["X-Frontdesk-Signature"].partition(",v1=")
    signed = f"{seconds.removeprefix('t=')}.".encode() + body
    assert hmac.compare_digest(digest, hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest())
    assert headers["X-Frontdesk-Delivery"] == "chat-3-claim"
    told = json.loads(body)
    assert (told["event"], told["agent"], told["waited_seconds"], told["reason"]) == ("claim", "zoe", 120.0, "asked")
    assert "ana" not in body.decode()


async def test_what_was_delivered_is_not_sent_again_even_when_it_is_owed_again(roster, listener):
    hooks = webhooks(roster, listener.url)
    assert await hooks.send_due(NOON) == 2
    await roster.owe(deliveries([RECORD], ["hook"]), NOON)
    assert await hooks.send_due(NOON + timedelta(days=1)) == 0
    assert len(listener.got) == 2


@pytest.mark.parametrize("status", [500, 404, 302])
async def test_what_failed_is_tried_again_after_a_growing_pause(roster, listener, status):
    listener.answers = [status] * 4
    hooks = webhooks(roster, listener.url)
    assert await hooks.send_due(NOON) == 2
    assert await hooks.send_due(NOON + timedelta(seconds=1)) == 0
    assert await hooks.send_due(NOON + timedelta(seconds=2)) == 2
    assert await hooks.send_due(NOON + timedelta(seconds=5)) == 0
    assert await hooks.send_due(NOON + timedelta(seconds=6)) == 2
    assert len(listener.got) == 6
    assert await hooks.send_due(NOON + timedelta(days=1)) == 0


async def test_a_target_that_is_down_for_an_hour_is_told_afterwards_also_by_another_process(roster, listener):
    away = webhooks(roster, "http://127.0.0.1:9/hook")
    now = NOON
    while now < NOON + timedelta(hours=1):
        await away.send_due(now)
        now += timedelta(minutes=10)
    assert await webhooks(roster, listener.url).send_due(now + timedelta(hours=1)) == 2
    assert sorted(json.loads(body)["event"] for _, body in listener.got) == ["claim", "escalation"]


async def test_two_processes_send_each_event_once(roster, listener):
    first, second = webhooks(roster, listener.url), webhooks(roster, listener.url)
    await first.send_due(NOON)
    await second.send_due(NOON)
    assert len(listener.got) == 2


async def test_slack_gets_a_sentence_without_markup(roster, listener):
    await webhooks(roster, listener.url, write=slack_event, secret="").send_due(NOON)
    texts = sorted(json.loads(body)["text"] for _, body in listener.got)
    assert texts == [
        "A customer needs a person: Asked for a person.",
        "zoe has taken the chat after 120 s (Asked for a person).",
    ]
    assert "X-Frontdesk-Signature" not in listener.got[0][0]
    assert "<" not in slack_event({"event": "close", "outcome": "<!channel>", "reason": "x"})["text"]


def test_the_pauses_grow_to_an_hour():
    pauses = [pause_seconds(attempts) for attempts in range(1, 20)]
    assert pauses[:3] == [2, 4, 8]
    assert max(pauses) == LONGEST_PAUSE_SECONDS
