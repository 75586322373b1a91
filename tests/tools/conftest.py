"""What the tests of the tools share: a database, the demo company in it, and the same company behind HTTP."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_socket

from bot.backoffice.demo import DemoOffice
from bot.backoffice.http import HttpOffice
from bot.backoffice.office import Backoffice
from bot.sql.store import Store, open_store
from bot.tools.toolbox import Toolbox
from tests.bot.conftest import postgres_schema, postgres_url
from tests.tools.office_server import TOKEN, serve
from tests.tools.talk import NOW, build_toolbox

__all__ = ["postgres_schema", "postgres_url"]


@pytest.fixture(autouse=True)
def _loopback_only() -> Iterator[None]:
    """No test here can reach anything but this machine."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)
    yield
    pytest_socket._remove_restrictions()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty database of each kind."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_schema")
    store = open_store(url, tmp_path)
    yield store
    await store.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty database."""
    store = open_store(None, tmp_path)
    yield store
    await store.close()


@pytest.fixture
def toolbox(store: Store) -> Toolbox:
    """All tools on the demo company."""
    return build_toolbox(store)


@pytest.fixture(params=["demo", pytest.param("demo on postgresql", marks=pytest.mark.postgres), "http"])
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backoffice]:
    """Each back office with the same company in it."""
    url = request.getfixturevalue("postgres_schema") if "postgresql" in request.param else None
    store = open_store(url, tmp_path)
    demo = DemoOffice(store, lambda: NOW)
    if request.param != "http":
        yield demo
    else:
        async with serve(demo) as address:
            office = HttpOffice(address, TOKEN)
            yield office
            await office.close()
    await store.close()
