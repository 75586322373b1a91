"""Customers over REST: sessions, messages as JSON and as events, history, a person, thumbs."""

import asyncio
import json
import uuid

import pytest

from tests.api.conftest import Caller


def events_of(text: str) -> list[tuple[str, dict]]:
    blocks = [block.splitlines() for block in text.strip().split("\n\n")]
    fields = [dict(line.split(": ", 1) for line in block) for block in blocks]
    return [(one["event"], json.loads(one["data"])) for one in fields]


async def test_an_anonymous_customer_asks_and_gets_the_reply_as_json(anna: Caller) -> None:
    told = await anna.say("hello")
    assert told["status"] == 200
    assert (told["message"]["speaker"], told["message"]["text"]) == ("customer", "hello")
    assert (told["reply"]["speaker"], told["reply"]["text"]) == ("bot", "You said: hello")
    assert told["reply"]["answers"] == told["message"]["seq"]
    assert told["holder"] == "bot"


async def test_a_reply_names_its_sources_and_never_its_trace(anna: Caller) -> None:
    told = await anna.say("cite")
    assert told["reply"]["sources"] == [
        {"number": 1, "title": "Your bill", "heading": "Part months", "url": "/help/bills#p3"}
    ]
    _, history, _ = await anna.call("GET", f"/chat/history/{told['message']['conversation']}")
    assert "TRACE-OF-THE-TURN" not in str((told, history))


async def test_the_reply_comes_sentence_by_sentence_as_events_and_then_whole(anna: Caller) -> None:
    text = await anna.say("write One. |Two. |Three.", headers={"Accept": "text/event-stream"})
    events = events_of(text)
    assert [name for name, _ in events] == ["message", "sentence", "sentence", "sentence", "reply"]
    assert [told["sentence"] for name, told in events if name == "sentence"] == ["One. ", "Two. ", "Three."]
    assert events[-1][1]["text"] == events[-2][1]["text"] == "One. Two. Three."


async def test_the_same_client_id_is_one_message_and_one_reply_also_as_the_first_of_a_conversation(anna: Caller) -> None:
    id = str(uuid.uuid4())
    first, second = await asyncio.gather(anna.say("hello", client_id=id), anna.say("hello", client_id=id))
    assert first["message"] == second["message"]
    assert first["reply"] == second["reply"]
    conversation = first["message"]["conversation"]
    _, history, _ = await anna.call("GET", f"/chat/history/{conversation}")
    assert [line["speaker"] for line in history["lines"]] == ["customer", "bot"]
    other = await anna.say("other words", client_id=id)
    assert (other["status"], other["code"]) == (409, "client_id_reused")


async def test_history_goes_on_where_it_was_left_and_waits_for_what_is_to_come(anna: Caller) -> None:
    told = await anna.say("one")
    conversation = told["message"]["conversation"]
    path = f"/chat/history/{conversation}"
    _, page, _ = await anna.call("GET", path, params={"limit": 1})
    assert ([line["text"] for line in page["lines"]], page["next"]) == (["one"], 1)
    _, page, _ = await anna.call("GET", path, params={"after": 1})
    assert [line["text"] for line in page["lines"]] == ["You said: one"]
    waiting = asyncio.create_task(anna.call("GET", path, params={"after": page["next"], "wait": 20}))
    await asyncio.sleep(0)
    await anna.say("two", conversation)
    _, page, _ = await waiting
    assert page["lines"][0]["text"] == "two"
    _, page, _ = await anna.call("GET", path, params={"after": 4, "wait": 0.05})
    assert (page["lines"], page["next"]) == ([], 4)


async def test_conversations_are_listed_page_by_page(anna: Caller) -> None:
    for text in ("one", "two", "three"):
        await anna.say(text)
    _, first, _ = await anna.call("GET", "/chat/conversations", params={"limit": 2})
    _, rest, _ = await anna.call("GET", "/chat/conversations", params={"limit": 2, "cursor": first["next"]})
    assert [chat["title"] for chat in first["conversations"] + rest["conversations"]] == ["three", "two", "one"]
    assert rest["next"] is None


async def test_a_person_is_asked_for_once_and_then_messages_wait_for_them(anna: Caller) -> None:
    conversation = (await anna.say("hello"))["message"]["conversation"]
    body = {"conversation": conversation, "client_id": str(uuid.uuid4())}
    status, told, _ = await anna.call("POST", "/chat/escalate", json=body)
    assert (status, told["message"]["text"]) == (202, "I'd like to talk to a person")
    assert (await anna.call("POST", "/chat/escalate", json=body))[1]["message"] == told["message"]
    _, page, _ = await anna.call("GET", f"/chat/history/{conversation}", params={"after": 3, "wait": 20})
    assert page["holder"] == "queue"
    said = await anna.say("are you there?", conversation)
    assert (said["status"], said["reply"], said["holder"]) == (202, None, "queue")


async def test_a_thumb_is_kept_and_can_be_taken_back(anna: Caller) -> None:
    told = await anna.say("hello")
    reply, path = told["reply"]["id"], f"/chat/history/{told['message']['conversation']}"
    for value, thumbs in ((1, {reply: 1}), (0, {reply: 0}), (None, {})):
        status, _, _ = await anna.call("POST", "/chat/feedback", json={"entry": reply, "value": value})
        assert status == 200
        assert (await anna.call("GET", path))[1]["thumbs"] == thumbs
    status, _, _ = await anna.call("POST", "/chat/feedback", json={"entry": told["message"]["id"], "value": 1})
    assert status == 404


async def test_a_renewed_session_is_the_same_customer_and_one_that_is_signed_out_is_over(anna: Caller) -> None:
    again = await Caller(anna.address, anna.http).begin(renew_token=anna.session["renew_token"])
    assert again.customer == anna.customer
    assert (await again.call("DELETE", "/chat/session"))[0] == 200
    status, told, headers = await anna.call("GET", "/chat/conversations")
    assert (status, told["code"], headers["WWW-Authenticate"]) == (401, "signed_out", "Bearer")
    status, told, _ = await anna.call("POST", "/chat/session", json={"renew_token": again.session["renew_token"]})
    assert (status, told["code"]) == (401, "renew_token")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"text": "hi"}, 422),
        ({"text": "hi", "client_id": "x"}, 422),
        ({"text": "hi", "client_id": "6f9619ff-8b86-4011-b42d-00c04fc964ff", "speaker": "bot"}, 422),
        ({"text": "", "client_id": "6f9619ff-8b86-4011-b42d-00c04fc964ff"}, 422),
        ({"text": "\u200b", "client_id": "6f9619ff-8b86-4011-b42d-00c04fc964ff"}, 422),
        ({"text": "x" * 4001, "client_id": "6f9619ff-8b86-4011-b42d-00c04fc964ff"}, 422),
        ({"text": "x" * 70_000, "client_id": "6f9619ff-8b86-4011-b42d-00c04fc964ff"}, 413),
        ({"text": 7, "client_id": "6f9619ff-8b86-4011-b42d-00c04fc964ff"}, 422),
        ([], 422),
    ],
)
async def test_bad_messages_are_refused_with_a_problem_document_and_nothing_is_stored(
    anna: Caller, body: object, status: int
) -> None:
    answered, told, headers = await anna.call("POST", "/chat/message", json=body)
    assert (answered, told["status"], headers["Content-Type"]) == (status, status, "application/problem+json")
    assert (await anna.call("GET", "/chat/conversations"))[1]["conversations"] == []


async def test_a_failure_of_ours_is_a_notice_without_its_text(anna: Caller) -> None:
    told = await anna.say("crash")
    assert (told["status"], told["reply"]["kind"], told["reply"]["speaker"]) == (200, "notice", "system")
    assert "secret-of-the-inside" not in str(told)


async def test_a_time_with_the_assistant_is_rated_by_its_customer_alone(anna: Caller, eve: Caller) -> None:
    told = await anna.say("hello")
    conversation = told["message"]["conversation"]
    path = f"/chat/rating?conversation={conversation}"
    _, asked, _ = await anna.call("GET", path)
    assert asked == {"episode": told["message"]["seq"], "of": "assistant", "name": "", "over": False}
    stars = {"conversation": conversation, "episode": asked["episode"], "stars": 4, "comment": "quick"}
    for caller, change, status in (
        (eve, {}, 404),
        (anna, {"episode": 99}, 404),
        (anna, {"stars": 6}, 422),
        (anna, {"comment": "x" * 2001}, 422),
        (anna, {}, 200),
    ):
        assert (await caller.call("POST", "/chat/rating", json=stars | change))[0] == status
    assert (await anna.call("GET", path))[1]["episode"] is None
    assert (await eve.call("GET", path))[0] == 404
    _, history, _ = await anna.call("GET", f"/chat/history/{conversation}")
    assert history["thumbs"] == {}
