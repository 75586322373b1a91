"""The socket: join, speak, sentences, coming back, sign-out, and frames that nobody should send."""

import asyncio
import json
import random
import uuid
from typing import Any

import aiohttp
import pytest

from tests.api.conftest import FRIEND, Caller


async def hear(ws: aiohttp.ClientWebSocketResponse, wanted: str, **fields: Any) -> dict[str, Any]:
    """The next event of this type with these fields."""
    async with asyncio.timeout(60):
        while True:
            told = json.loads(await ws.receive_str())
            if told["type"] == wanted and all(told.get(name) == value for name, value in fields.items()):
                return told


async def join(caller: Caller, **fields: Any) -> aiohttp.ClientWebSocketResponse:
    ws = await caller.socket()
    await ws.send_json({"type": "join", "token": caller.token, **fields})
    await hear(ws, "joined")
    return ws


def message(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "text": text, "client_id": str(uuid.uuid4()), **fields}


async def test_a_customer_joins_speaks_and_hears_the_reply_sentence_by_sentence(anna: Caller) -> None:
    async with await join(anna) as ws:
        said = message("write One. |Two.")
        await ws.send_json(said)
        events: list[dict[str, Any]] = []
        async with asyncio.timeout(60):
            while not events or events[-1].get("line", {}).get("speaker") != "bot":
                events.append(json.loads(await ws.receive_str()))
        accepted = next(event for event in events if event["type"] == "accepted")
        assert accepted["client_id"] == said["client_id"]
        assert [event["sentence"] for event in events if event["type"] == "sentence"] == ["One. ", "Two."]
        assert events[-1]["line"]["text"] == "One. Two."


async def test_who_comes_back_hears_what_came_after_and_nothing_twice(anna: Caller) -> None:
    conversation = (await anna.say("one"))["message"]["conversation"]
    async with await join(anna, conversation=conversation, after=1) as ws:
        assert (await hear(ws, "line"))["line"]["text"] == "You said: one"
        await anna.say("two", conversation)
        assert (await hear(ws, "line"))["line"]["text"] == "two"
        assert (await hear(ws, "line"))["line"]["text"] == "You said: two"


async def test_a_person_who_takes_over_is_told_as_the_new_holder(anna: Caller) -> None:
    async with await join(anna) as ws:
        await ws.send_json({"type": "escalate", "client_id": str(uuid.uuid4())})
        assert (await hear(ws, "holder"))["holder"] == "queue"


async def test_a_thumb_a_ping_and_a_stop_are_answered(anna: Caller) -> None:
    told = await anna.say("hello")
    async with await join(anna, conversation=told["message"]["conversation"]) as ws:
        await ws.send_json({"type": "feedback", "entry": told["reply"]["id"], "value": 1})
        await hear(ws, "done")
        await ws.send_json({"type": "ping"})
        await hear(ws, "pong")
        await ws.send_json(message("slow 20"))
        await hear(ws, "accepted")
        await ws.send_json({"type": "stop"})
        stopped = await hear(ws, "line", type="line")
        while stopped["line"]["speaker"] != "system":
            stopped = await hear(ws, "line")
        assert stopped["line"]["text"] == "You stopped this reply."


async def test_one_id_with_two_texts_is_refused_by_whichever_way_and_the_first_stays(anna: Caller) -> None:
    first = await anna.say("one", client_id=(id := str(uuid.uuid4())))
    conversation = first["message"]["conversation"]
    asking = {"conversation": conversation, "client_id": id}
    assert (await anna.call("POST", "/chat/escalate", json=asking))[1]["code"] == "client_id_reused"
    async with await join(anna, conversation=conversation) as ws:
        for frame in ({"type": "message", "text": "two", **asking}, {"type": "escalate", **asking}):
            await ws.send_json(frame)
            told = await hear(ws, "problem")
            assert (told["problem"]["status"], told["problem"]["code"], told["client_id"]) == (409, "client_id_reused", id)
    twice = str(uuid.uuid4())
    answers = await asyncio.gather(*(anna.say(text, conversation, client_id=twice) for text in ("three", "four")))
    assert sorted(told["status"] for told in answers) == [200, 409]
    _, history, _ = await anna.call("GET", f"/chat/history/{conversation}")
    assert [line["speaker"] for line in history["lines"]] == ["customer", "bot"] * 2
    assert (history["holder"], history["lines"][0]["text"]) == ("bot", "one")


async def test_signing_out_closes_the_socket_within_five_seconds(anna: Caller) -> None:
    async with await join(anna) as ws:
        await anna.call("DELETE", "/chat/session")
        async with asyncio.timeout(60):
            assert (await hear(ws, "problem"))["problem"]["code"] == "signed_out"
            assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSE
        assert ws.close_code == 4401


async def test_without_a_genuine_session_nothing_is_heard(anna: Caller, eve: Caller) -> None:
    for greeting in (
        message("hello"),
        {"type": "join", "token": "x.y.z"},
        {"type": "join", "token": anna.session["renew_token"]},
    ):
        async with await eve.socket() as ws:
            await ws.send_json(greeting)
            assert (await hear(ws, "problem"))["problem"]["status"] == 401
            assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSE


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"{FRIEND}.evil.example", f"{FRIEND}:8443"])
async def test_a_page_of_a_foreign_site_gets_no_socket(anna: Caller, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await anna.socket(headers={"Origin": origin})
    assert refused.value.status == 403


async def test_the_companys_page_and_our_own_get_one(anna: Caller) -> None:
    for origin in (FRIEND, anna.address):
        async with await anna.socket(headers={"Origin": origin}) as ws:
            await ws.send_json({"type": "join", "token": anna.token})
            await hear(ws, "joined")


async def test_a_customer_has_no_more_sockets_than_are_allowed_and_gets_places_back(anna: Caller) -> None:
    sockets = [await join(anna) for _ in range(10)]
    async with await anna.socket() as one_too_many:
        await one_too_many.send_json({"type": "join", "token": anna.token})
        assert (await hear(one_too_many, "problem"))["problem"]["code"] == "too_many_connections"
    for ws in sockets:
        await ws.close()
    async with asyncio.timeout(60):
        while True:
            async with await anna.socket() as ws:
                await ws.send_json({"type": "join", "token": anna.token})
                if json.loads(await ws.receive_str())["type"] == "joined":
                    break


def odd_frame(chance: random.Random, parts: list[Any]) -> str:
    if chance.random() < 0.2:
        return chance.choice(["", "{", "[]", "null", "7", "[" * 3000, '"x"', '{"type":', "\x00", "NaN", '{"a":' * 2000])
    names = ["type", "text", "client_id", "conversation", "token", "after", "entry", "value", "speaker", "\ud800"]
    fields = {name: chance.choice(parts) for name in chance.sample(names, chance.randint(0, 6))}
    if chance.random() < 0.8:
        fields["type"] = chance.choice(["join", "message", "escalate", "feedback", "stop", "ping", "admin"])
    return json.dumps(fields)


@pytest.mark.timeout(600)
async def test_a_thousand_odd_frames_break_nothing_and_say_nothing_of_anothers(anna: Caller, eve: Caller) -> None:
    told = await anna.say("my secret")
    theirs = told["message"]["conversation"]
    await fuzz(eve, [theirs, told["reply"]["id"], anna.customer], 1000)
    _, history, _ = await anna.call("GET", f"/chat/history/{theirs}")
    assert [line["text"] for line in history["lines"]] == ["my secret", "You said: my secret"]
    assert (await anna.say("still there?", theirs))["status"] == 200


async def fuzz(caller: Caller, ids: list[str], frames: int) -> None:
    chance = random.Random(8)
    parts = [
        None,
        True,
        -1,
        2**70,
        1e308,
        "",
        "hello",
        [],
        {},
        *ids,
        str(uuid.uuid4()),
        caller.token,
        "x" * 70_000,
        "\ud800",
    ]
    sent = 0
    while sent < frames:
        async with await caller.socket() as ws:
            await ws.send_json({"type": "join", "token": caller.token})
            reading = asyncio.create_task(_read(ws))
            while not ws.closed and not reading.done() and sent < frames:
                sent += 1
                try:
                    await ws.send_str(odd_frame(chance, parts))
                except (ConnectionError, aiohttp.ClientError):
                    break
                await asyncio.sleep(0)
            await ws.close()
            for text in await reading:
                assert "my secret" not in text
                assert json.loads(text)["type"] in {
                    "joined",
                    "problem",
                    "line",
                    "accepted",
                    "done",
                    "pong",
                    "holder",
                    "sentence",
                }


async def _read(ws: aiohttp.ClientWebSocketResponse) -> list[str]:
    return [frame.data async for frame in ws if frame.type is aiohttp.WSMsgType.TEXT]
