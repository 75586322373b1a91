"""What the tests of the shared state run on: Valkey as it is embedded, and Redis where it is installed."""

import shutil
from collections.abc import AsyncIterator, Iterator

import pytest

from bot.valkey.server import Server
from tests.state.servers import PATIENCE_SECONDS, RealServer

NO_REDIS = "no Redis: install the server (Debian: apt-get install redis-server)"


@pytest.fixture(scope="session")
def valkey() -> Iterator[RealServer]:
    """The binary that is embedded."""
    with RealServer("valkey") as running:
        yield running


@pytest.fixture(scope="session")
def redis() -> Iterator[RealServer]:
    """Debian's server."""
    if not shutil.which("redis-server"):
        pytest.skip(NO_REDIS)
    with RealServer("redis") as running:
        yield running


@pytest.fixture(params=["valkey", "redis"])
def running(request: pytest.FixtureRequest) -> RealServer:
    """Each real server in turn, empty."""
    running: RealServer = request.getfixturevalue(request.param)
    running.flush()
    return running


@pytest.fixture
async def server(running: RealServer) -> AsyncIterator[Server]:
    """A process's link to an empty server that is well."""
    server = Server(running.url, "the test's server", patience_seconds=PATIENCE_SECONDS)
    await server.start()
    assert server.trouble is None
    yield server
    await server.close()
