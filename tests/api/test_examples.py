"""The examples work: those of docs/api.md in a shell, and the client against the server."""

import asyncio
import importlib.util
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.api.conftest import API_APP, PASSWORD, PLENTY, TOKEN_SECRET
from tests.server import ROOT, Server


def client_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("frontdesk_client", ROOT / "examples" / "client.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(600)
async def test_every_example_of_the_documentation_runs(tmp_path: Path) -> None:
    if not (shutil.which("curl") and shutil.which("bash")):
        pytest.skip("no curl or bash")
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 6
    with Server(tmp_path / "data", app=API_APP, env=PLENTY) as server:
        env = {
            "SERVER": server.address,
            "STAFF_ID": "root",
            "STAFF_PASSWORD": PASSWORD,
            "CUSTOMER_TOKEN_SECRET": TOKEN_SECRET,
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        }
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", "\n".join(blocks)),
            cwd=tmp_path,
            env=env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await process.communicate()
        assert process.returncode == 0, told.decode()[-3000:]


async def test_the_client_asks_streams_rates_and_comes_back(server: Server) -> None:
    module = client_module()

    def use() -> None:
        with module.Client(server.address) as client:
            reply = client.say("cite")
            assert (reply.speaker, reply.sources[0].title) == ("bot", "Your bill")
            *sentences, whole = client.stream("write One. |Two.", reply.conversation)
            assert (sentences, whole.text) == (["One. ", "Two."], "One. Two.")
            client.rate(whole, 1)
            client.ask_for_a_person(reply.conversation)
            with pytest.raises(module.Problem) as problem:
                client.lines("0b6b4f00-0000-4000-8000-000000000009")
            assert (problem.value.status, problem.value.code) == (404, "unknown")
        with module.Client(server.address, renew_token=client.renew_token) as again:
            assert [line.text for line in again.lines(reply.conversation)][:2] == ["cite", "By the day [1]."]

    await asyncio.to_thread(use)
