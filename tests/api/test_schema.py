"""The OpenAPI document is kept: schemathesis in short; `python -m benchmarks fuzz_api` is the long form."""

from pathlib import Path

import pytest

from tests.api.conftest import API_APP, PLENTY
from tests.api.fuzzing import fuzz
from tests.server import Server


@pytest.mark.timeout(600)
async def test_no_request_gets_what_the_document_does_not_say(tmp_path: Path) -> None:
    with Server(tmp_path / "data", app=API_APP, env=PLENTY) as server:
        result = await fuzz(server.address, cases_each=6, chains=5)
        assert result.failures == []
        assert result.cases > 100
        assert result.linked > 0
        assert not [status for status in result.statuses if status >= 500]
        assert "Traceback" not in server.log()
