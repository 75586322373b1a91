"""How the providers fare, for staff: a line each on the developers' pages, in our words and never in the vendors'."""

import re
from pathlib import Path

import aiohttp
import pytest

from tests.chat_client import ChatClient, open_http
from tests.pages.conftest import PASSWORD, Developer
from tests.server import Server

SECRET = "key sk-secret of tenant 4711"
APP = "tests/webchat/writing_app.py"
SCRIPT = f"""
- - fail: rate_limited
    retry_after: 600
    detail: {SECRET!r}
"""


@pytest.fixture
def server(tmp_path: Path):
    (tmp_path / "script.yaml").write_text(SCRIPT, encoding="utf-8")
    env = {
        "LLM_PROVIDERS": "scripted,extractive",
        "LLM_SCRIPT": str(tmp_path / "script.yaml"),
        "DEVELOPER_PASSWORD": PASSWORD,
    }
    with Server(tmp_path / "data", app=APP, env=env) as running:
        yield running


def lines_of(body: str) -> list[list[str]]:
    """The cells of the providers' table, line by line, without markup."""
    table = body.partition('class="plain providers"')[2].partition("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2], re.DOTALL)
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in rows]


async def test_each_provider_has_a_line_with_its_breaker_next_probe_and_last_error(server: Server) -> None:
    async with open_http() as http:
        someone = Developer(server.address, http)
        await someone.log_in()
        before = lines_of((await someone.request("GET", "/developer"))[1])
        assert [line[:4] for line in before] == [
            ["scripted script", "closed", "0", "–"],
            ["extractive quote", "closed", "0", "–"],
        ]
        await ask(server, http)
        body = (await someone.request("GET", "/developer"))[1]
        scripted, extractive = lines_of(body)
        assert scripted[:3] == ["scripted script", "open", "1"]
        assert re.fullmatch(r"in \d+ s", scripted[3])
        assert scripted[4:6] == ["0", "1"]
        assert scripted[6].startswith("rate limited, ")
        assert extractive[1:] == ["closed", "0", "–", "1", "0", "–"]
        assert SECRET not in body


async def ask(server: Server, http: aiohttp.ClientSession) -> None:
    page = ChatClient(server.address, http)
    await page.sign_in()
    await page.connect()
    await page.ask("what is the late fee?")
    await page.close()
