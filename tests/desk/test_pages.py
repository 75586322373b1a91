"""The desk over HTTP, against a real server: who gets in, what changes, what each side is told."""

import asyncio
import base64
import json
import re
from dataclasses import replace
from uuid import uuid4

import aiohttp
import pytest

from bot.sql.staff import SqlStaff
from bot.sql.store import open_store
from bot.staff import hash_password
from tests.chat_client import ChatClient
from tests.desk.agent_client import AgentClient
from tests.desk.conftest import PASSWORD, Hire, NewCustomer, add_agent, desk_server
from tests.server import Server

# -- who gets in


async def test_without_a_sign_in_there_is_a_form_and_no_data(desk: Server, http: aiohttp.ClientSession):
    stranger = AgentClient(desk.address, http, "nobody")
    assert (await stranger.get("/desk"))[0] == 303
    for path in ("/desk/events", "/desk/chats/x", "/desk/chats/x/entries", "/desk/chats/x/suggestion", "/desk/search?q=x"):
        assert (await stranger.get(path))[0] == 401
    assert (await stranger.post("/desk/chats/x/claim"))[0] == 401


async def test_the_cookie_is_the_browsers_alone_and_new_at_each_sign_in(desk: Server, http: aiohttp.ClientSession):
    agent = await add_agent(desk.data_dir)
    data = {"id": agent.id, "password": PASSWORD}
    cookies = []
    for _ in range(2):
        async with http.post(f"{desk.address}/desk/login", data=data, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (303, "/desk")
            cookies.append(response.headers["Set-Cookie"])
    for cookie in cookies:
        assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert cookies[0].split(";")[0] != cookies[1].split(";")[0]


async def test_over_tls_the_cookie_is_held_to_this_host(desk: Server, http: aiohttp.ClientSession):
    agent = await add_agent(desk.data_dir)
    data, headers = {"id": agent.id, "password": PASSWORD}, {"X-Forwarded-Proto": "https"}
    url = f"{desk.address}/desk/login"
    async with http.post(url, data=data, headers=headers, allow_redirects=False) as response:
        cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-")
    assert "Secure" in cookie


async def test_a_wrong_password_and_an_unknown_id_look_alike(desk: Server, http: aiohttp.ClientSession):
    agent = await add_agent(desk.data_dir)
    known, unknown = AgentClient(desk.address, http, agent.id), AgentClient(desk.address, http, "nobody-here")
    assert await known.sign_in("not the password") == await unknown.sign_in(PASSWORD)
    assert not known.cookie


async def test_an_account_takes_few_guesses_a_minute(desk: Server, http: aiohttp.ClientSession):
    agent = await add_agent(desk.data_dir)
    client = AgentClient(desk.address, http, agent.id)
    statuses = [(await client.sign_in("a wrong password"))[0] for _ in range(7)]
    assert statuses[0] == 403
    assert statuses[-1] == 429
    assert (await client.sign_in(PASSWORD))[0] == 429


async def test_a_new_password_or_a_closed_account_ends_the_visit(desk: Server, http: aiohttp.ClientSession, hire: Hire):
    store = open_store(None, desk.data_dir)
    try:
        for changes in ({"password_hash": hash_password("quite another one")}, {"disabled": True}):
            agent = await hire()
            account = await SqlStaff(store).agent(agent.id)
            await SqlStaff(store).change(replace(account, **changes))
            assert (await agent.get("/desk/search?q=x"))[0] == 401
    finally:
        await store.close()


async def test_a_customers_cookie_opens_no_desk(desk: Server, http: aiohttp.ClientSession, new_customer: NewCustomer):
    page = await new_customer("")
    value = page.cookie.partition("=")[2]
    stranger = AgentClient(desk.address, http, "x")
    stranger.cookie = f"frontdesk_staff={value}"
    assert (await stranger.get("/desk/search?q=x"))[0] == 401


async def test_a_cookie_that_was_changed_or_unsigned_opens_no_desk(hire: Hire):
    agent = await hire()
    name, _, token = agent.cookie.partition("=")
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "admin"}).encode()).decode().rstrip("=")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    for bad in (f"{head}.{forged}.{signature}", f"{unsigned}.{body}.", f"{head}.{body}."):
        agent.cookie = f"{name}={bad}"
        assert (await agent.get("/desk/search?q=x"))[0] == 401


async def test_a_change_needs_the_token_of_its_own_visit_and_our_own_page(hire: Hire, new_customer: NewCustomer):
    agent, other = await hire(), await hire()
    page = await new_customer()
    path = f"/desk/chats/{page.conversation}/claim"
    for token in ("", "0" * 64, other.token):
        assert (await agent.post(path, headers={"X-Desk-Token": token}))[0] == 403
    for origin in ("https://evil.example", "null", "https://www.example.com"):
        assert (await agent.post(path, headers={"Origin": origin}))[0] == 403
    assert (await agent.post(path, headers={"Origin": agent.address}))[0] == 200


async def test_the_page_asks_nobody_else_for_anything(hire: Hire, http: aiohttp.ClientSession):
    agent = await hire()
    async with http.get(f"{agent.address}/desk", headers={"Cookie": agent.cookie}) as response:
        policy, html = response.headers["Content-Security-Policy"], await response.text()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.findall(r'<[^>]* (?:src|href|action)="(?!/|#)', html)
    assert "style=" not in html
    assert not re.findall(r"<[^>]* on\w+=", html)


# -- what changes


async def test_customer_and_agent_talk_and_notes_stay_with_the_staff(hire: Hire, new_customer: NewCustomer):
    agent, page = await hire(), await new_customer()
    async with agent.stream() as events:
        await events.until(lambda name, data: name == "board" and page.conversation in data["waiting"])
        await agent.act(page.conversation, "claim")
        await events.until(lambda name, data: name == "board" and page.conversation in dict(data["mine"]))
        await agent.act(page.conversation, "note", text="SECRET between us")
        told = await agent.act(page.conversation, "say", text="Hello, I'm here.")
        await page.send("Thank you, Zoe")
        entry = await events.until(lambda name, data: name == "entry" and data["customers"])
        assert "Thank you, Zoe" in entry["html"]
    step = await until_shown(page, "Hello, I'm here.")
    assert step["name"] == "Zoe Martin"
    assert step["metadata"]["seq"] == told["seq"]
    assert "SECRET" not in json.dumps([page.events, page.steps])
    assert "escalation" not in json.dumps([page.events, page.steps])


async def until_shown(page: ChatClient, words: str) -> dict:
    def shown() -> list[dict]:
        return [step for step in page.steps.values() if words in step["output"].replace("\\", "")]

    await page.until(shown)
    return shown()[0]


async def test_the_bot_says_nothing_while_people_have_the_chat_and_answers_after(hire: Hire, new_customer: NewCustomer):
    agent, page = await hire(), await new_customer()
    await page.send("what is the late fee?")
    await agent.act(page.conversation, "claim")
    await page.send("and by card?")
    await agent.act(page.conversation, "hand-back", note="done")
    reply = await page.ask("what is the late fee?")
    assert "7.50" in json.dumps(reply)
    replies = [step for step in page.steps.values() if step["type"] == "assistant_message"]
    assert len(replies) == 1


async def test_two_agents_click_at_once_and_one_has_the_chat(hire: Hire, new_customer: NewCustomer):
    zoe, max_ = await hire("Zoe"), await hire("Max")
    for _ in range(3):
        page = await new_customer()
        path = f"/desk/chats/{page.conversation}/claim"
        (first, told), (second, also) = await asyncio.gather(zoe.post(path), max_.post(path))
        assert sorted((first, second)) == [200, 409]
        loser = told if first == 409 else also
        assert "has this chat now" in loser["detail"]


async def test_the_same_message_sent_twice_is_one(hire: Hire, new_customer: NewCustomer):
    agent, page = await hire(), await new_customer()
    await agent.act(page.conversation, "claim")
    id = str(uuid4())
    first = await agent.act(page.conversation, "say", text="Once", id=id)
    assert await agent.act(page.conversation, "say", text="Once", id=id) == first


async def test_an_agent_reads_a_chat_of_the_assistants_and_takes_it_over(hire: Hire, new_customer: NewCustomer):
    agent, page = await hire(), await new_customer("what is the late fee?")
    _, live = await agent.get("/desk/live")
    assert page.conversation in live["html"]
    status, told = await agent.get(f"/desk/chats/{page.conversation}")
    assert status == 200
    assert "Take over" in told["html"]
    await agent.act(page.conversation, "claim")
    await until_shown(page, "Zoe Martin has joined the chat")
    assert page.conversation not in (await agent.get("/desk/live"))[1]["html"]


async def test_a_chat_that_never_was_is_nobodys_to_read(hire: Hire):
    agent = await hire()
    for path in ("", "/entries", "/packet", "/suggestion", "/customer", "/ticket", "/form"):
        assert (await agent.get(f"/desk/chats/{uuid4()}{path}"))[0] == 404


async def test_a_suggestion_comes_with_its_sources(hire: Hire, new_customer: NewCustomer):
    agent, page = await hire(), await new_customer("what is the late fee?")
    await page.ask("a human please")
    status, told = await agent.get(f"/desk/chats/{page.conversation}/suggestion")
    assert status == 200
    assert "£7.50" in told["text"]
    assert told["citations"][0]["url"].startswith("/help/late")
    status, found = await agent.get("/desk/search?q=late+fee")
    assert "Late payments" in found["html"]


@pytest.mark.parametrize(
    ("act", "fields", "status"),
    [
        ("say", {"text": "x" * 10_000, "id": "12345678"}, 409),
        ("say", {"text": "hello"}, 422),
        ("close", {"outcome": "brilliant"}, 409),
        ("pass-on", {"to": "agent:nobody"}, 409),
        ("explode", {}, 404),
    ],
)
async def test_bad_input_is_answered_with_a_sentence(
    hire: Hire, new_customer: NewCustomer, act: str, fields: dict[str, str], status: int
):
    agent, page = await hire(), await new_customer()
    await agent.act(page.conversation, "claim")
    answered, told = await agent.post(f"/desk/chats/{page.conversation}/{act}", **fields)
    assert answered == status
    assert told["detail"].endswith(".")


async def test_a_customer_goes_back_leaves_and_rates_only_in_their_own_chat(hire: Hire, new_customer: NewCustomer):
    agent, page, other = await hire(), await new_customer(), await new_customer("")
    await agent.act(page.conversation, "claim")
    assert (await other.request("POST", f"/conversation/{page.conversation}/back"))[0] == 404
    status, told = await page.request("POST", f"/conversation/{page.conversation}/back")
    assert (status, told) == (200, {"ok": True})
    told = await wait_for_rate(page)
    path = f"/conversation/{page.conversation}/rating"
    assert (await other.request("POST", path, json={"episode": told["rate"], "stars": 1}))[0] == 404
    assert (await page.request("POST", path, json={"episode": told["rate"], "stars": 6}))[0] == 422
    assert (await page.request("POST", path, json={"episode": 999, "stars": 5}))[0] == 404
    assert (await page.request("POST", path, json={"episode": told["rate"], "stars": 5, "comment": "kind"}))[0] == 200
    status, shown = await agent.get(f"/desk/chats/{page.conversation}/entries")
    assert "★★★★★ kind" in shown[-1]["html"]


async def wait_for_rate(page: ChatClient) -> dict:
    def told() -> list[dict]:
        return [data for name, data in page.events if name == "window_message" and data.get("rate")]

    await page.until(told)
    return told()[-1]


async def test_a_ticket_is_opened_for_the_customer_once_it_is_confirmed(hire: Hire, new_customer: NewCustomer):
    agent, other, page = await hire(), await hire(), await new_customer()
    chat = f"/desk/chats/{page.conversation}"
    asked = {
        "tool": "create_ticket",
        "arguments": {"subject": "Bill <b>is</b> wrong", "category": "billing"},
        "id": str(uuid4()),
    }
    assert (await agent.post(f"{chat}/propose", **asked))[0] == 409
    await agent.act(page.conversation, "claim")
    status, told = await agent.post(f"{chat}/propose", **asked)
    assert (status, told["words"]) == (200, "open a ticket about “Bill ‹b›is‹/b› wrong”")
    assert (await agent.post(f"{chat}/propose", headers={"X-Desk-Token": ""}, **asked))[0] == 403
    for sealed in (told["proposal"][:-8], "", 7):
        assert (await agent.post(f"{chat}/confirm", proposal=sealed))[0] == 422
    assert (await other.post(f"{chat}/confirm", proposal=told["proposal"]))[0] == 422
    for _ in range(2):
        status, done = await agent.post(f"{chat}/confirm", proposal=told["proposal"])
        assert status == 200
        assert "I have opened ticket T-" in done["words"]
    number = re.search(r"T-\d+", done["words"])[0]
    status, panel = await agent.get(f"{chat}/customer")
    assert panel["html"].count(f'data-number="{number}" aria-expanded') == 1
    assert "Bill ‹b›is‹/b› wrong" in panel["html"]
    assert "Bill &lt;b&gt;is&lt;/b&gt; wrong" in (await agent.get(f"{chat}/ticket?number={number}"))[1]["html"]
    shown = (await agent.get(f"{chat}/entries"))[1]
    assert sum("Done for the customer" in entry["html"] for entry in shown) == 1
    assert "Done for the customer" not in json.dumps(page.events)


async def test_the_form_of_a_visit_offers_the_times_that_are_free(hire: Hire, new_customer: NewCustomer):
    agent, page = await hire(), await new_customer()
    chat = f"/desk/chats/{page.conversation}"
    assert (await agent.get(f"{chat}/form?tool=book_appointment"))[0] == 409
    await agent.act(page.conversation, "claim")
    status, form = await agent.get(f"{chat}/form?tool=book_appointment&line=2")
    assert status == 200
    slot = re.search(r'value="(\d{4}-\d\d-\d\dT\d+)"', form["html"])[1]
    booked = {"tool": "book_appointment", "arguments": {"line": "2", "kind": "repair", "slot": slot}, "id": str(uuid4())}
    status, told = await agent.post(f"{chat}/propose", **booked)
    assert status == 200, told
    assert told["words"].startswith("book a repair visit")


async def test_a_state_that_is_chosen_shows_at_once(hire: Hire):
    agent = await hire()
    async with agent.stream() as events:
        await events.until(lambda name, data: name == "board")
        for state in ("busy", "away", "available"):
            assert (await agent.post("/desk/state", state=state))[0] == 200
            page = (await agent.get("/desk"))[1]
            assert re.findall(r'aria-checked="true" data-state="(\w+)"', page) == [state]


async def test_signing_in_takes_chats_unless_somebody_only_looks_round(desk: Server, http: aiohttp.ClientSession):
    for extra, state in (({}, "available"), ({"quiet": "yes"}, "away"), ({}, "available")):
        agent = await add_agent(desk.data_dir)
        client = AgentClient(desk.address, http, agent.id)
        data = {"id": agent.id, "password": PASSWORD, **extra}
        async with http.post(f"{desk.address}/desk/login", data=data, allow_redirects=False) as response:
            client.cookie = response.headers["Set-Cookie"].split(";", 1)[0]
        async with client.stream() as events:
            await events.until(lambda name, data, state=state: name == "board" and data["state"] == state)


async def test_who_signs_out_leaves_no_customer_waiting(desk: Server, hire: Hire, new_customer: NewCustomer):
    agent, other, page = await hire(), await hire("Max"), await new_customer()
    await agent.act(page.conversation, "claim")
    assert (await agent.post("/desk/logout"))[0] == 303
    await until_shown(page, "Your place is kept at the front")
    await other.act(page.conversation, "claim")


async def test_the_report_is_the_staffs_and_agents_see_their_own_part(hire: Hire, new_customer: NewCustomer):
    agent, admin, page = await hire(), await hire("Ada", role="admin"), await new_customer()
    await agent.act(page.conversation, "claim")
    await agent.act(page.conversation, "close", outcome="solved")
    path = f"/conversation/{page.conversation}/rating"
    told = await wait_for_rate(page)
    assert (await page.request("POST", path, json={"episode": told["rate"], "stars": 4, "comment": "<i>kind</i>"}))[0] == 200
    status, html = await agent.get("/desk/report")
    assert status == 200
    assert "&lt;i&gt;kind&lt;/i&gt;" in html
    assert "By agent" not in html
    status, html = await admin.get("/desk/report?days=1")
    assert "By agent" in html
    assert "&lt;i&gt;kind&lt;/i&gt;" in html
    other = await hire("Max")
    assert "kind" not in (await other.get("/desk/report"))[1]
    agent.cookie = ""
    assert (await agent.get("/desk/report"))[0] == 303


async def test_typing_is_shown_to_the_customer(hire: Hire, new_customer: NewCustomer):
    agent, page = await hire(), await new_customer()
    await agent.act(page.conversation, "claim")
    async with agent.stream() as events:
        await events.until(lambda name, data: name == "board" and page.conversation in dict(data["mine"]))
        await agent.act(page.conversation, "typing")
        await page.until(lambda: ("window_message", {"frontdesk": "typing", "name": "Zoe Martin"}) in page.events)


async def test_customer_and_agent_talk_across_processes(desk: Server, hire: Hire, new_customer: NewCustomer):
    page = await new_customer()
    second = Server(desk.data_dir, app=desk.app, env=desk.env)
    with second:
        agent = await hire()
        agent.address = second.address
        async with agent.stream() as events:
            await events.until(lambda name, data: name == "board" and page.conversation in data["waiting"])
            await agent.act(page.conversation, "claim")
            await agent.act(page.conversation, "say", text="Hello from another process")
            await until_shown(page, "Hello from another process")
            await page.send("and hello back")
            await events.until(lambda name, data: name == "entry" and "and hello back" in data["html"])


async def test_a_server_stops_while_a_desk_is_open(tmp_path, http: aiohttp.ClientSession):
    server = desk_server(tmp_path, ["00:00-24:00"]).start()
    agent = AgentClient(server.address, http, (await add_agent(server.data_dir)).id)
    await agent.sign_in(PASSWORD)
    async with agent.stream() as events:
        await events.until(lambda name, _: name == "board")
        assert await asyncio.to_thread(server.stop) in (0, -15, 143)
    assert "Traceback" not in server.log()


async def test_a_policy_with_a_mistake_stops_the_start_with_a_sentence(tmp_path):
    server = desk_server(tmp_path, ["8 to 20"])
    server.start(wait=False)
    assert await asyncio.to_thread(server.wait_exit) == 1
    assert 'write a span of hours as "08:00-20:00", in quotes' in server.log()
    assert "Traceback" not in server.log()
