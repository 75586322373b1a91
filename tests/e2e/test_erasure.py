"""The product forgets a customer: no byte of what they said in any of its files, and all of what another said."""

import asyncio
import json
import uuid
from contextlib import suppress
from pathlib import Path

from tests.api.conftest import Caller
from tests.chat_client import open_http
from tests.server import Server


async def test_an_erased_customer_is_in_no_file_of_the_product_and_another_still_is(server: Server) -> None:
    canary, kept = f"canary{uuid.uuid4().hex}", f"kept{uuid.uuid4().hex}"
    async with open_http() as http:
        anna, ben = await Caller(server.address, http).begin(), await Caller(server.address, http).begin()
        talk = ("My order number is LF-204815, it is about {}", "please open a ticket: my {} is broken", "yes please")
        in_anna, in_ben = await tell(anna, talk, canary), await tell(ben, talk, kept)
        assert "T-" in in_anna[-1]["reply"]["text"]
        await anna.call("POST", "/chat/feedback", json={"entry": in_anna[0]["reply"]["id"], "value": 0})
        asking = {"conversation": in_anna[0]["message"]["conversation"], "client_id": str(uuid.uuid4())}
        assert (await anna.call("POST", "/chat/escalate", json=asking))[0] == 202
        path = f"/customers/{anna.customer}/data"
        export = json.dumps((await anna.call("GET", path))[1])
        assert all(said["message"]["id"] in export for said in in_anna)
        assert canary in export
        assert kept not in export
        assert not any(said["message"]["id"] in export for said in in_ben)
        assert (await anna.call("DELETE", path))[0] == 200
        await until_in_no_file(server.data_dir.parent, canary, anna.customer)
        _, export, _ = await ben.call("GET", f"/customers/{ben.customer}/data")
        assert json.dumps(export).count(kept) >= 2
    assert kept.encode() in bytes_below(server.data_dir)


async def tell(caller: Caller, texts: tuple[str, ...], word: str) -> list[dict]:
    """Say these in one conversation; what came of each."""
    said: list[dict] = []
    for text in texts:
        conversation = said[0]["message"]["conversation"] if said else None
        said.append(await caller.say(text.format(word), conversation))
        assert said[-1]["status"] == 200
    return said


async def until_in_no_file(folder: Path, *words: str) -> None:
    """Wait until none of these is in any file: what a server replaces it deletes in a thread."""
    async with asyncio.timeout(60):
        while any(word.encode() in bytes_below(folder) for word in words):  # noqa: ASYNC110  (in another process)
            await asyncio.sleep(0.05)


def bytes_below(folder: Path) -> bytes:
    """Every byte that the files have now; one that goes meanwhile has none."""
    found = b""
    for file in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):
            found += file.read_bytes() if file.is_file() else b""
    return found
