import asyncio
import uuid

import pytest

from tests.chat_client import ChatClient
from tests.webchat.conftest import NewPage

SHOWN = ("user_message", "assistant_message", "system_message")


def transcript(page: ChatClient) -> list[tuple[str, str]]:
    """What the page shows, in its order: (type, text)."""
    return [(step["type"], step["output"]) for step in page.steps.values() if step["type"] in SHOWN]


async def test_a_message_is_acknowledged_with_its_place_in_the_log_and_answered(new_page: NewPage) -> None:
    page = await new_page()
    ack = await page.send("hello")
    reply = await page.wait_for_reply(ack["seq"])
    assert (ack["ok"], ack["seq"], reply["output"]) == (True, 1, "You said: hello")


async def test_the_first_message_gives_the_page_an_address_made_by_the_server(new_page: NewPage) -> None:
    page = await new_page()
    assert page.conversation == ""
    await page.ask("hello")
    assert uuid.UUID(page.conversation).version == 4


async def test_the_senders_bubble_is_not_sent_back_to_it_but_cleaned_words_are(new_page: NewPage) -> None:
    page = await new_page()
    await page.ask("hello")
    assert [step["type"] for step in page.steps.values()] == ["run", "assistant_message"]
    await page.ask("  clean \x00 me  ")
    assert ("user_message", "clean  me") in transcript(page)


async def test_a_second_tab_sees_what_was_said_and_what_is_being_said(new_page: NewPage) -> None:
    page = await new_page()
    await page.ask("one")
    tab = page.tab(page.conversation)
    await tab.connect()
    await tab.wait_for_event("resume_thread")
    sent = str(uuid.uuid4())
    ack = await page.send("two", sent)
    await tab.wait_for_step(sent)
    await tab.wait_for_reply(ack["seq"])
    assert transcript(tab) == [
        *(("user_message", "one"), ("assistant_message", "You said: one")),
        *(("user_message", "two"), ("assistant_message", "You said: two")),
    ]
    await tab.close()


async def test_entries_missed_while_the_connection_was_lost_are_shown_on_return(new_page: NewPage) -> None:
    page = await new_page()
    await page.ask("one")
    tab = page.tab(page.conversation)
    await tab.connect()
    await page.drop()
    await tab.ask("two")
    await page.connect()
    await page.wait_for_event("resume_thread")
    assert [text for _, text in transcript(page)] == ["one", "You said: one", "two", "You said: two"]
    page.events.clear()
    ack = await page.send("three", sent := str(uuid.uuid4()))
    await page.wait_for_reply(ack["seq"])
    told = {name for name, _ in page.events} - {"window_message"}  # which says what may be rated
    assert told == {"new_message"}
    assert page.steps[sent]["output"] == "three", "the page may have been built anew after it was sent"
    await tab.close()


async def test_a_message_that_was_never_taken_is_gone_from_the_page_on_return(new_page: NewPage) -> None:
    page = await new_page()
    await page.ask("one")
    page.steps["lost"] = {"id": "lost", "type": "user_message", "output": "lost"}
    await page.drop()
    await page.connect()
    await page.wait_for_event("resume_thread")
    assert "lost" not in page.steps


async def test_a_page_without_a_conversation_is_sent_none_on_return(new_page: NewPage) -> None:
    page = await new_page()
    await page.drop()
    await page.connect()
    await page.ask("hello")
    assert "resume_thread" not in [name for name, _ in page.events]


async def open_gate(page: ChatClient, name: str) -> None:
    """Let the turn go on that holds there."""
    assert (await page.request("POST", f"/test/open/{name}"))[0] == 200


async def test_a_slow_turn_shows_that_it_is_under_way(new_page: NewPage) -> None:
    page = await new_page()
    ack = await page.send(f"hold {page.session_id}")
    await page.until(lambda: page.working)
    names = [name for name, _ in page.events]
    assert names[names.index("task_start") - 1] == "new_message"
    await open_gate(page, page.session_id)
    await page.wait_for_reply(ack["seq"])
    await page.until(lambda: not page.working)
    assert "thinking" not in page.steps


async def test_a_page_opened_during_a_turn_shows_that_it_is_under_way(new_page: NewPage) -> None:
    page = await new_page()
    ack = await page.send(f"hold {page.session_id}")
    tab = page.tab(page.conversation)
    await tab.connect()
    await tab.until(lambda: tab.working)
    await open_gate(page, page.session_id)
    assert (await tab.wait_for_reply(ack["seq"]))["output"] == f"You said: hold {page.session_id}"
    await tab.close()


async def test_the_stop_button_cuts_the_reply_and_says_so(new_page: NewPage) -> None:
    page = await new_page()
    ack = await page.send(f"hold {page.session_id}")
    await page.until(lambda: page.working)
    await page.stop()
    notice = await page.wait_for_reply(ack["seq"])
    assert notice["type"] == "system_message"
    assert (await page.ask("after"))["output"] == "You said: after"


async def test_a_failed_turn_is_settled_with_a_sentence_and_never_its_error(new_page: NewPage) -> None:
    page = await new_page()
    reply = await page.ask("crash")
    assert reply["type"] == "system_message"
    assert "secret-of-the-inside" not in str(page.events)


async def test_an_error_of_the_inside_is_a_plain_refusal(new_page: NewPage) -> None:
    page = await new_page()
    ack = await page.send("break the log")
    assert ack["ok"] is False
    assert "secret-of-the-inside" not in str(page.events)
    assert [toast["message"] for toast in page.toasts] == [ack["reason"]]
    assert (await page.ask("and on"))["output"] == "You said: and on"


async def test_a_refused_message_leaves_the_page_with_a_reason(new_page: NewPage) -> None:
    page = await new_page()
    sent = str(uuid.uuid4())
    page.steps[sent] = {"id": sent, "type": "user_message", "output": " "}
    ack = await page.send(" ", sent)
    await page.ask("next")
    assert ack == {"ok": False, "reason": "Your message was empty. Please write what you need help with."}
    assert sent not in page.steps
    assert page.toasts == [{"type": "error", "message": ack["reason"]}]
    assert ("window_message", {"frontdesk": "refused"}) in page.events


async def test_citations_are_links_to_passages_and_the_trace_stays_inside(new_page: NewPage) -> None:
    page = await new_page()
    reply = await page.ask("cite")
    assert "by the day [1](/help/bills#p3)." in reply["output"]
    assert reply["output"].endswith(r"[1 · Your bill\: a \[guide\] › Charges › Part months](/help/bills#p3)")
    tab = page.tab(page.conversation)
    await tab.connect()
    await tab.wait_for_event("resume_thread")
    _, thread = await page.request("GET", f"/project/thread/{page.conversation}")
    for seen in (page.events, tab.events, thread):
        assert "TRACE-OF-THE-TURN" not in str(seen)
        assert "evil.example" not in str(seen)
    await tab.close()


async def test_messages_sent_at_once_keep_their_order(new_page: NewPage) -> None:
    page = await new_page()
    acks = await asyncio.gather(*(page.send(str(number)) for number in range(5)))
    for ack in acks:
        await page.wait_for_reply(ack["seq"])
    tab = page.tab(page.conversation)
    await tab.connect()
    await tab.wait_for_event("resume_thread")
    said = [text for kind, text in transcript(tab) if kind == "user_message"]
    assert said == ["0", "1", "2", "3", "4"]
    await tab.close()


async def test_the_same_id_five_times_at_once_is_one_entry_and_one_reply(new_page: NewPage) -> None:
    page = await new_page()
    sent = str(uuid.uuid4())
    acks = await asyncio.gather(*(page.send("once", sent) for _ in range(5)))
    assert len({(ack["ok"], ack["seq"], ack["id"]) for ack in acks}) == 1
    await page.wait_for_reply(1)
    await page.drop()
    await page.connect()
    assert (await page.send("once", sent))["seq"] == 1
    assert (await page.send("other words", sent))["ok"] is False
    last = await page.send("last")
    assert last["seq"] == 3


async def test_a_thumb_is_kept_and_can_be_changed_and_taken_back(new_page: NewPage) -> None:
    page = await new_page()
    await page.ask("hello")
    run = next(step for step in page.steps if step.startswith("turn-"))

    async def thumb_after_reload() -> int | None:
        tab = page.tab(page.conversation)
        await tab.connect()
        await tab.wait_for_event("resume_thread")
        await tab.close()
        return tab.steps[run].get("feedback", {}).get("value")

    for value in (1, 0):
        status, _ = await page.request("PUT", "/feedback", json={"feedback": {"forId": run, "value": value}})
        assert (status, await thumb_after_reload()) == (200, value)
    status, _ = await page.request("DELETE", "/feedback", json={"feedbackId": run})
    assert (status, await thumb_after_reload()) == (200, None)


async def test_the_history_lists_the_visitors_own_conversations_latest_first(new_page: NewPage) -> None:
    page = await new_page()
    other = await new_page()
    await other.ask("not yours")
    for text in ("first", "second"):
        tab = page.tab()
        await tab.connect()
        await tab.ask(text)
        await tab.close()
    body = {"pagination": {"first": 1}, "filter": {}}
    _, answer = await page.request("POST", "/project/threads", json=body)
    assert ([thread["name"] for thread in answer["data"]], answer["pageInfo"]["hasNextPage"]) == (["second"], True)
    body["pagination"]["cursor"] = answer["pageInfo"]["endCursor"]
    _, answer = await page.request("POST", "/project/threads", json=body)
    assert ([thread["name"] for thread in answer["data"]], answer["pageInfo"]["hasNextPage"]) == (["first"], False)
    _, answer = await page.request(
        "POST", "/project/threads", json={"pagination": {"first": 9}, "filter": {"search": "SEC"}}
    )
    assert [thread["name"] for thread in answer["data"]] == ["second"]


@pytest.mark.parametrize(
    "thread", ["6f1b3c52-9a0e-4a53-8f0d-2f6f5f0c7a11", "not-a-uuid", "../../etc/passwd", {"a": 1}, 7, "x" * 100_000]
)
async def test_an_address_of_no_conversation_of_theirs_starts_a_new_one_with_a_word(
    new_page: NewPage, thread: object
) -> None:
    page = await new_page(connected=False)
    waiting = asyncio.create_task(page.wait_for_event("resume_thread_error"))
    await page.connect(auth={"threadId": thread})
    await waiting
    await page.ask("hello")
    assert page.conversation != thread
