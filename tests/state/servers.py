"""Real servers for the tests: the embedded Valkey's binary, and Redis where it is installed."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot.valkey.embedded import _find_binary
from bot.valkey.server import Server

START_SECONDS = 60.0
PATIENCE_SECONDS = 2.0
"""For tests that are not about it: a machine that is slow for a moment is not taken for a server that is away."""


async def until(look: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    """Wait until the look says that it is so."""
    async with asyncio.timeout(seconds):
        while not await look():  # noqa: ASYNC110  (what is waited for is in another process)
            await asyncio.sleep(0.01)


async def until_well(server: Server) -> None:
    """Wait until the server is no longer left out."""

    async def is_well() -> bool:
        return server.trouble is None

    await until(is_well)


class RealServer:
    """A server process on a unix socket, to be stopped, killed, flushed and looked into."""

    def __init__(self, kind: str, *options: str) -> None:
        self._binary = str(_find_binary()) if kind == "valkey" else shutil.which("redis-server") or ""
        self._options = options
        self.folder = Path(tempfile.mkdtemp(prefix="frontdesk-kv-", dir="/tmp"))  # short: it holds the socket
        self.url = f"unix://{self.folder}/socket"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Run it, until it answers."""
        command = [self._binary, "--port", "0", "--unixsocket", f"{self.folder}/socket", "--dir", str(self.folder)]
        command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always", *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                with self.client() as client:
                    client.ping()
            except redis.exceptions.AuthenticationError:
                return self
            except redis.exceptions.ConnectionError:
                assert time.monotonic() < until, "the server did not start"
                time.sleep(0.01)
            else:
                return self

    def client(self) -> redis.Redis:
        """A plain client for the test itself."""
        return redis.Redis(unix_socket_path=f"{self.folder}/socket", protocol=2, retry=Retry(NoBackoff(), 0))

    def hang(self) -> None:
        """Let it accept and never answer."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once: connections are refused from then on."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def flush(self) -> None:
        """Empty it."""
        with self.client() as client:
            client.flushall()

    def files(self) -> bytes:
        """Every byte that it keeps on disk."""
        return b"".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())

    def _signal(self, number: int) -> None:
        assert self._process
        os.kill(self._process.pid, number)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()
        shutil.rmtree(self.folder)
