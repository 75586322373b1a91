"""Each of these was possible with stock Chainlit 2.12.0, or is what somebody would try next."""

import asyncio
import json
import random
import uuid
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from tests.chat_client import ChatClient, ConnectionRefused
from tests.server import Server
from tests.webchat.conftest import NewPage

EVIL = "http://evil.example"
HOSTILE_IDS = [
    *("", "a", "../../../etc/passwd", "/etc/passwd", "..\\..\\x", "%2e%2e%2f", "\x00", "ﬀ" * 36, "0" * 36, "😀" * 9),
    *("A" * 1_000_000, "6f9619ff-8b86-d011-b42d-00c04fc964ff", "6F9619FF-8B86-4011-B42D-00C04FC964FF"),
    *(" 6f9619ff-8b86-4011-b42d-00c04fc964ff", "6f9619ff-8b86-4011-b42d-00c04fc964ff\n", None, 7, [], {}, True),
]


async def seen_by(page: ChatClient, conversation: str) -> list[tuple[str, str, str]]:
    """The conversation as its owner reads it after a reload: (type, name, text)."""
    tab = page.tab(conversation)
    waiting = asyncio.create_task(tab.wait_for_event("resume_thread"))
    await tab.connect()
    await waiting
    await tab.close()
    return [(s["type"], s["name"], s["output"]) for s in tab.steps.values() if s["type"] != "run"]


# -- getting in


async def test_a_page_of_another_site_is_refused_and_an_allowed_one_is_not(new_page: NewPage) -> None:
    page = await new_page(connected=False)
    for origin in (EVIL, "null", f"{page.address}.evil.example", "https://www.example.com.evil.example"):
        with pytest.raises(ConnectionRefused):
            await page.connect(origin=origin)
    for origin in (page.address, "https://www.example.com"):
        await page.connect(origin=origin)
        await page.drop()


async def test_a_change_from_a_page_of_another_site_is_refused(new_page: NewPage) -> None:
    page = await new_page(connected=False)
    body = {"pagination": {"first": 5}, "filter": {}}
    for origin, status in ((EVIL, 403), (page.address, 200)):
        answer, _ = await page.request("POST", "/project/threads", json=body, headers={"Origin": origin})
        assert answer == status


async def test_without_a_genuine_cookie_nobody_gets_in(new_page: NewPage) -> None:
    page = await new_page(connected=False)
    for cookie in ("", "access_token=", "access_token=eyJhbGciOiJub25lIn0.e30.", page.cookie[:-2], "a=b; " * 500):
        page.cookie = cookie
        with pytest.raises(ConnectionRefused):
            await page.connect()


@pytest.mark.parametrize("session", HOSTILE_IDS, ids=lambda value: repr(value)[:24])
async def test_hostile_session_ids_are_refused(new_page: NewPage, session: object) -> None:
    page = await new_page(connected=False)
    with pytest.raises(ConnectionRefused):
        await page.connect(auth={"sessionId": session})


@pytest.mark.parametrize("auth", ["null", "7", '"x"', "[]", "", '{"sessionId":{"a":1}}', "[" * 5000, "{"])
async def test_hostile_greetings_are_refused_and_break_nothing(new_page: NewPage, server: Server, auth: str) -> None:
    page = await new_page(connected=False)
    url = page.address.replace("http", "ws") + "/ws/socket.io/?EIO=4&transport=websocket"
    async with page.http.ws_connect(url, headers={"Cookie": page.cookie}) as ws:
        await ws.receive_str()
        await ws.send_str("40" + auth)
        with suppress(TimeoutError):
            answer = await ws.receive(1)
            assert answer.type is not aiohttp.WSMsgType.TEXT or answer.data.startswith("44")
    assert (await page.request("GET", "/health"))[0] == 200


async def test_anothers_session_cannot_be_taken_over_and_is_not_disturbed(new_page: NewPage) -> None:
    anna, eve = await new_page(), await new_page(connected=False)
    await anna.ask("my secret")
    with pytest.raises(ConnectionRefused):
        await eve.connect(auth={"sessionId": anna.session_id})
    assert (await anna.ask("still here"))["output"] == "You said: still here"


async def test_anothers_conversation_cannot_be_opened_read_or_written(new_page: NewPage) -> None:
    anna, eve = await new_page(), await new_page(connected=False)
    await anna.ask("my secret")
    await eve.connect(auth={"threadId": anna.conversation})
    await eve.ask("let me in")
    assert eve.conversation != anna.conversation
    status, answer = await eve.request("GET", f"/project/thread/{anna.conversation}")
    assert status in (401, 404)
    assert "my secret" not in str((eve.events, answer))
    assert len(await seen_by(anna, anna.conversation)) == 2


async def test_only_the_websocket_is_offered(new_page: NewPage) -> None:
    page = await new_page(connected=False)
    status, _ = await page.request("GET", "/ws/socket.io/?EIO=4&transport=polling")
    assert status == 400


# -- speaking as somebody else


async def test_a_thousand_forged_payloads_say_nothing_but_the_customers_own_words(new_page: NewPage) -> None:
    """Random types, authors, metadata, ids of others' entries and edits, from one seed."""
    chance = random.Random(2)
    anna, eve = await new_page(), await new_page()
    await anna.ask("my secret")
    await eve.ask("start")
    ids = [*anna.steps, *eve.steps, anna.conversation, eve.conversation]
    before = await seen_by(anna, anna.conversation)

    def odd() -> Any:
        pick = [None, True, -1, 1e308, [], {}, "assistant_message", "system_message", "run", "tool", EVIL, *ids]
        return chance.choice(pick)

    taken: set[int] = set()
    for number in range(1000):
        words = f"own words {number}" if chance.random() < 0.5 else odd()
        fields = {
            name: odd() for name in ("type", "name", "threadId", "parentId", "metadata", "createdAt", "feedback", "steps")
        }
        message_id = chance.choice([str(uuid.uuid4()), str(uuid.uuid4()), odd()])
        payload = {"message": {**fields, "id": message_id, "output": words}, "fileReferences": odd()}
        event = chance.choice(["client_message"] * 4 + ["edit_message", "message_favorite", "window_message"])
        if event == "client_message":
            ack = await eve.send_event(event, payload, ack=True)
            if ack["ok"] and ack["seq"] not in taken:
                taken.add(ack["seq"])
                await eve.wait_for_reply(ack["seq"])
        else:
            await eve.send_event(event, payload)
    theirs = [step for step in await seen_by(eve, eve.conversation) if step[0] != "assistant_message"]
    assert len(taken) > 300
    assert {(kind, name) for kind, name, _ in theirs} == {("user_message", "You")}
    assert await seen_by(anna, anna.conversation) == before


async def test_anothers_thumb_cannot_be_set_or_taken_back(new_page: NewPage) -> None:
    anna, eve = await new_page(), await new_page()
    await anna.ask("hello")
    run = next(step for step in anna.steps if step.startswith("turn-"))
    thumb = {"feedback": {"forId": run, "value": 1, "id": run}, "sessionId": anna.session_id}
    assert (await anna.request("PUT", "/feedback", json=thumb))[0] == 200
    assert (await eve.request("PUT", "/feedback", json={"feedback": {**thumb["feedback"], "value": 0}}))[0] == 404
    assert (await eve.request("DELETE", "/feedback", json={"feedbackId": run}))[0] == 404
    eve.cookie = ""
    assert (await eve.request("DELETE", "/feedback", json={"feedbackId": run}))[0] == 401
    _, thread = await anna.request("GET", f"/project/thread/{anna.conversation}")
    assert thread["steps"][1]["feedback"]["value"] == 1


@pytest.mark.parametrize("run", ["", "turn-", "turn-x", "turn-" + "a" * 90, "a" * 5000, "\ud800", 7, None, [], "turn-'; --"])
async def test_a_thumb_on_nothing_is_refused(new_page: NewPage, run: object) -> None:
    page = await new_page(connected=False)
    status, _ = await page.request("PUT", "/feedback", json={"feedback": {"forId": run, "value": 1}})
    assert status in (404, 422)


async def test_events_with_reserved_names_do_nothing(new_page: NewPage, server: Server) -> None:
    """`connect` as an event would bring its own environment, and with it any origin and cookie."""
    anna, eve = await new_page(), await new_page()
    await anna.ask("my secret")
    environ = {"HTTP_COOKIE": anna.cookie, "HTTP_HOST": "x"}
    forged = {"sessionId": str(uuid.uuid4()), "threadId": anna.conversation}
    await eve.send_frame("42" + json.dumps(["connect", environ, forged]))
    await eve.send_frame("42" + json.dumps(["connect"]))
    await eve.send_frame("42" + json.dumps(["disconnect", "x", "y"]))
    assert (await eve.send("hello?"))["ok"] is False
    assert "my secret" not in str(eve.events)
    assert "never retrieved" not in server.log()


# -- breaking things


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\n\t ", "\u200b\u200b", "\x00", "\ud800", "a\udfffb", "x" * 1_000_000, "x" * 4001),
        *(None, 7, True, [], {}, ["hello"], {"text": "hello"}, 1.5),
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_what_is_no_message_is_refused_with_a_reason_and_the_chat_goes_on(new_page: NewPage, text: object) -> None:
    page = await new_page()
    ack = await page.send(text)
    assert ack["ok"] is False
    assert ack["reason"].endswith((".", "it."))
    assert (await page.ask("and on"))["output"] == "You said: and on"


@pytest.mark.parametrize(
    "text", ["\u202egnihton\u202c", "a\x00b", "e\u0301" * 100, "😀" * 500, "<img src=x onerror=alert(1)>"]
)
async def test_odd_text_is_taken_and_stays_text(new_page: NewPage, text: str) -> None:
    page = await new_page()
    reply = await page.ask(text)
    assert "\x00" not in reply["output"]
    assert "\u202e" not in reply["output"]


@pytest.mark.parametrize(
    "payload", [None, 7, "x", [], {}, {"message": None}, {"message": "x"}, {"message": {"id": []}}, [[]]]
)
async def test_payloads_that_are_no_message_are_refused(new_page: NewPage, payload: object) -> None:
    page = await new_page()
    ack = await page.send_event("client_message", payload, ack=True)
    assert ack["ok"] is False
    assert (await page.ask("and on"))["output"] == "You said: and on"


@pytest.mark.parametrize(
    "frame",
    [
        *(
            '42["client_message"',
            "42",
            "42[]",
            "42{}",
            "42[7]",
            '42[["client_message"]]',
            "4",
            "",
            "9",
            "45-x",
            "47",
            "43[]",
        ),
        *(
            '42["client_message",' + "[" * 20_000,
            "42" + "9" * 5000 + '["x"]',
            '451-["client_message",{"_placeholder":true}]',
        ),
        *(
            '40/admin,{"sessionId":"x"}',
            "41",
            '42["constructor"]',
            "42[null]",
            '421["client_message"]',
            b"\x00\xff",
            "6",
            "5",
        ),
    ],
    ids=lambda value: repr(value)[:24],
)
async def test_broken_frames_hurt_nobody_but_their_sender(new_page: NewPage, server: Server, frame: str | bytes) -> None:
    anna, eve = await new_page(keep=False), await new_page(keep=False)
    logged = len(server.log())
    await eve.send_frame(frame)
    assert (await anna.ask("still there?"))["output"] == "You said: still there?"
    await eve.drop()
    await eve.connect()
    assert (await eve.ask("and I?"))["output"] == "You said: and I?"
    assert "Traceback" not in server.log()[logged:]


async def test_a_frame_over_two_megabytes_closes_the_socket_and_the_page_can_return(new_page: NewPage) -> None:
    page = await new_page()
    await page.ask("hello")
    await page.send_frame('42["client_message",{"message":{"output":"' + "x" * 2_100_000 + '"}}]')
    await asyncio.wait_for(page.closed.wait(), 60)
    await page.drop()
    await page.connect()
    assert (await page.ask("back"))["output"] == "You said: back"


async def test_two_hundred_messages_a_second_of_one_page_are_held_off_and_others_are_not(new_page: NewPage) -> None:
    flood, calm = await new_page(), await new_page()
    door = flood.session_id
    sent = asyncio.gather(flood.send(f"door {door}"), *(flood.send(f"message {number}") for number in range(199)))
    await flood.until(lambda: flood.toasts)
    assert (await calm.ask("am I served?"))["output"] == "You said: am I served?"
    assert (await calm.request("POST", f"/test/open/{door}"))[0] == 200
    acks = await sent
    taken = [ack["seq"] for ack in acks if ack["ok"]]
    assert 1 <= len(taken) < 200
    assert all("faster" in ack["reason"] for ack in acks if not ack["ok"])
    for seq in taken:
        await flood.wait_for_reply(seq)
    shown = await seen_by(flood, flood.conversation)
    assert len(shown) == 2 * len(taken)


async def test_a_greeting_repeated_is_answered_once(new_page: NewPage) -> None:
    page = await new_page()
    await page.ask("hello")
    tab = page.tab(page.conversation)
    await tab.connect()
    for _ in range(100):
        await tab.send_event("connection_successful")
    await tab.ask("and on")
    names = [name for name, _ in tab.events]
    assert (names.count("task_end"), names.count("resume_thread")) == (1, 1)
    await tab.close()
