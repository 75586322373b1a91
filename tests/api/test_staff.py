"""The staff over REST: logging in, roles, asking, finding, articles that change whole or not at all, export and erasure."""

import asyncio
import json
import uuid
from pathlib import Path

import aiohttp
import pytest

from tests.api.conftest import API_APP, PASSWORD, PLENTY, Caller
from tests.server import Server

ARTICLES = [
    {"id": "fees", "title": "Late fees", "text": "A bill that is paid late costs a fee of £7.50."},
    {"id": "secret", "title": "For us", "text": "Never tell anybody about the goodwill credit.", "internal": True},
]


async def test_a_wrong_password_is_refused_and_does_not_say_what_was_wrong(nobody: Caller) -> None:
    for id in ("dora", "nobody-there"):
        status, told, _ = await nobody.call("POST", "/staff/session", json={"id": id, "password": "wrong"})
        assert (status, told["code"]) == (401, "login")
        assert id not in told["detail"]


async def test_each_role_may_do_what_it_may_and_no_more(nobody: Caller, ana: Caller, dora: Caller, root: Caller) -> None:
    routes = {("GET", "/conversations"): 1, ("POST", "/ask"): 2, ("GET", "/knowledge"): 2, ("GET", "/agents"): 3}
    body = {"question": "hello?"}
    for (method, path), rank in routes.items():
        for place, caller in enumerate((nobody, ana, dora, root)):
            status, _, _ = await caller.call(method, path, json=body if method == "POST" else None)
            assert status == (401 if place == 0 else 403 if place < rank else 200), (path, place)


async def test_a_question_is_answered_with_its_trace_and_nothing_is_stored(dora: Caller) -> None:
    status, told, _ = await dora.call("POST", "/ask", json={"question": "what is the late fee?", "before": ["hello"]})
    assert status == 200
    assert told["text"]
    assert told["trace"]["turn"]
    _, found, _ = await dora.call("GET", "/conversations", params={"text": "what is the late fee?"})
    assert found["conversations"] == []


async def test_conversations_are_found_read_and_exported(anna: Caller, ana: Caller) -> None:
    word = uuid.uuid4().hex
    conversations = [(await anna.say(f"{word} {number}"))["message"]["conversation"] for number in range(3)]
    seen, cursor = [], None
    while True:
        params = {"text": word.upper(), "limit": 2} | ({"cursor": cursor} if cursor else {})
        _, found, _ = await ana.call("GET", "/conversations", params=params)
        seen += [one["id"] for one in found["conversations"]]
        cursor = found["next"]
        if cursor is None:
            break
    assert seen == conversations[::-1]
    _, transcript, _ = await ana.call("GET", f"/conversations/{seen[0]}")
    assert [entry["text"] for entry in transcript["entries"]] == [f"{word} 2", f"You said: {word} 2"]
    _, text, headers = await ana.call("GET", f"/conversations/{seen[0]}/transcript")
    assert f"customer\n{word} 2" in text
    assert "attachment" in headers["Content-Disposition"]
    assert (await ana.call("GET", "/conversations", params={"cursor": "bm9uc2Vuc2U"}))[0] == 422


async def test_accounts_are_made_by_administrators_and_taken_ids_are_refused(root: Caller, nobody: Caller) -> None:
    new = {"id": f"a{uuid.uuid4().hex[:8]}", "name": "Anna Berg", "password": "correct horse battery"}
    assert (await root.call("POST", "/agents", json=new))[0] == 201
    assert (await root.call("POST", "/agents", json=new))[0] == 409
    assert (await root.call("POST", "/users", json={**new, "id": "x", "role": "agent"}))[0] == 422
    far = {**new, "id": f"a{uuid.uuid4().hex[:8]}"}
    assert (await root.call("POST", "/agents", json={**far, "name": "<b>Anna</b>"}))[1]["code"] == "staff_invalid"
    assert (await root.call("POST", "/agents", json={**far, "name": "José Núñez-Иванова"}))[1][
        "name"
    ] == "José Núñez-Иванова"
    assert (await root.call("POST", "/agents", json={**new, "password": "short"}))[0] == 422
    status, told, _ = await nobody.call("POST", "/staff/session", json={"id": new["id"], "password": new["password"]})
    assert (status, told["role"]) == (201, "agent")
    assert "password" not in str((await root.call("GET", "/agents"))[1])


async def test_an_account_is_deleted_by_another_administrator_and_its_visits_are_over(root: Caller, nobody: Caller) -> None:
    new = {"id": f"a{uuid.uuid4().hex[:8]}", "name": "Anna Berg", "password": PASSWORD}
    await root.call("POST", "/agents", json=new)
    _status, told, _ = await nobody.call("POST", "/staff/session", json={"id": new["id"], "password": new["password"]})
    gone = Caller(nobody.address, nobody.http, token=told["token"])
    assert (await gone.call("GET", "/conversations"))[0] == 200
    assert (await gone.call("DELETE", f"/agents/{new['id']}"))[0] == 403
    assert (await root.call("DELETE", "/agents/root"))[1]["code"] == "own_account"
    assert (await root.call("DELETE", f"/agents/{new['id']}"))[:2] == (200, {"id": new["id"], "passed_on": 0})
    assert (await root.call("DELETE", f"/agents/{new['id']}"))[0] == 404
    assert (await gone.call("GET", "/conversations"))[0] == 401
    assert (await root.call("POST", "/agents", json=new))[0] == 201, "the id is free again"
    assert (await gone.call("GET", "/conversations"))[0] == 401, "and not open to whoever had it before"


async def test_chats_of_an_account_that_is_deleted_wait_for_somebody_else(root: Caller, anna: Caller) -> None:
    new = {
        "id": "zoe-berg",
        "name": "Zoe Berg",
        "password": PASSWORD,
    }  # digits may be masked as personal
    await root.call("POST", "/agents", json=new)
    held = (await anna.say(f"hold {new['id']}"))["message"]["conversation"]
    path = f"/chat/history/{held}"
    assert (await anna.call("GET", path))[1]["holder"] == "agent"
    assert (await root.call("DELETE", f"/agents/{new['id']}"))[:2] == (200, {"id": new["id"], "passed_on": 1})
    _, history, _ = await anna.call("GET", path)
    assert history["holder"] == "queue"
    said = await anna.say("is anybody there?", held)
    assert (said["status"], said["reply"], said["holder"]) == (202, None, "queue")


async def test_an_agent_is_available_or_not_by_their_own_word(ana: Caller, dora: Caller) -> None:
    body = {"available": False}
    assert (await dora.call("PUT", "/agents/ana/availability", json=body))[0] == 403
    assert (await ana.call("PUT", "/agents/ana/availability", json=body))[0] == 200
    assert (await ana.call("GET", "/agents/available"))[1] == {"agents": []}
    await ana.call("PUT", "/agents/ana/availability", json={"available": True})
    assert [one["agent"] for one in (await ana.call("GET", "/agents/available"))[1]["agents"]] == ["ana"]
    assert (await ana.call("GET", "/escalations"))[1] == {"escalations": [], "next": None}
    assert (await ana.call("GET", "/customers/anna/tickets"))[1] == {"tickets": []}
    assert (await ana.call("GET", "/customers/anna/tickets/T-10423"))[0] == 404


def bytes_below(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


async def finished(caller: Caller, job: dict) -> dict:
    async with asyncio.timeout(60):
        while job["state"] == "running":
            await asyncio.sleep(0.1)
            _, job, _ = await caller.call("GET", f"/knowledge/ingest/{job['id']}")
    return job


async def test_articles_become_a_version_whole_or_not_at_all_and_one_can_go_back(dora: Caller) -> None:
    status, job, _ = await dora.call("POST", "/knowledge/ingest", json={"documents": ARTICLES})
    assert status == 202, job
    first = await finished(dora, job)
    assert (first["state"], first["changed"]) == ("done", True), first
    form = aiohttp.FormData()
    form.add_field("files", b"# Refunds\n\nMoney comes back within five days.", filename="refunds.md")
    _, job, _ = await dora.call("POST", "/knowledge/ingest", data=form)
    second = await finished(dora, job)
    assert second["state"] == "done", second
    broken = [*ARTICLES, {"id": "x y", "title": "", "text": "?"}]
    status, told, _ = await dora.call("POST", "/knowledge/ingest", json={"documents": broken})
    assert (status, told["code"]) == (422, "documents")
    assert any("documents.2" in wrong["where"][0] for wrong in told["errors"])
    for name, content in (("bad.pdf", b"no pdf"), ("x.exe", b"MZ"), ("empty.md", b"")):
        form = aiohttp.FormData()
        form.add_field("files", b"# Good\n\nA good article.", filename="good.md")
        form.add_field("files", content, filename=name)
        status, told, _ = await dora.call("POST", "/knowledge/ingest", data=form)
        assert (status, told["errors"][0]["where"]) == (422, [name])
    twice = {"documents": [ARTICLES[0], ARTICLES[0]]}
    assert (await dora.call("POST", "/knowledge/ingest", json=twice))[0] == 422
    _, versions, _ = await dora.call("GET", "/knowledge")
    assert [one["id"] for one in versions["versions"] if one["in_use"]] == [second["version"]]
    status, versions, _ = await dora.call("POST", "/knowledge/rollback", json={"version": first["version"]})
    assert [one["id"] for one in versions["versions"] if one["in_use"]] == [first["version"]]
    unknown = {"version": "20260101T000000000-aaaaaaaaaaaa"}
    assert (await dora.call("POST", "/knowledge/rollback", json=unknown))[0] == 404


@pytest.mark.parametrize("name", ["../../etc/cron.md", "..\\x.md", ".hidden.md", "a" * 300 + ".md"])
async def test_a_files_name_leads_nowhere_else(dora: Caller, name: str) -> None:
    form = aiohttp.FormData()
    form.add_field("files", b"", filename=name)
    status, _, _ = await dora.call("POST", "/knowledge/ingest", data=form)
    assert status == 422


async def test_an_export_is_all_of_one_customer_and_an_erasure_leaves_no_byte(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    canary, kept = f"canary{uuid.uuid4().hex}", f"kept{uuid.uuid4().hex}"
    with Server(tmp_path / "data", app=API_APP, env=PLENTY) as server:
        anna, ben = await Caller(server.address, http).begin(), await Caller(server.address, http).begin()
        root = await Caller(server.address, http).log_in("root")
        for number in range(20):
            told = await anna.say(f"{canary} {number}")
            await ben.say(f"{kept} {number}")
        await anna.call("POST", "/chat/feedback", json={"entry": told["reply"]["id"], "value": 0})
        path = f"/customers/{anna.customer}/data"
        assert (await ben.call("GET", path))[0] == 403
        assert (await ben.call("DELETE", path))[0] == 403
        _, export, _ = await root.call("GET", path)
        _, own, _ = await anna.call("GET", path)
        texts = json.dumps(export)
        assert (texts.count(canary), texts.count(kept)) == (60, 0), "20 messages, 20 replies, 20 titles"
        assert own == export
        status, erased, _ = await root.call("DELETE", path)
        assert (status, erased["erased"]["conversations"]) == (200, {"conversations": 20, "entries": 41})
        files = bytes_below(tmp_path)
        assert canary.encode() not in files
        assert anna.customer.encode() not in files
        assert kept.encode() in files
        assert (await anna.call("GET", "/chat/conversations"))[1]["conversations"] == []
        assert len((await ben.call("GET", "/chat/conversations"))[1]["conversations"]) == 20
        again = await anna.say(f"afterwards {kept}", told["message"]["conversation"])
        assert again["status"] == 404
        assert (await anna.say("a new start"))["status"] == 200
