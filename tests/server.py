"""The real server as a process of its own: start, stop, kill -9, start again on the same data.

with Server(data_dir) as server:
    server.address                    # http://127.0.0.1:<free port>
    server.kill(); server.start()     # a crash, and back on the same port and data
    server.log()                      # what it printed; also shown when it does not come up
"""

import fcntl
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 300.0
"""For a start with the real models on a machine that has much else to do."""
STOP_SECONDS = 120.0
PORTS = range(20_000, 30_000)
"""Below those that the system gives to outgoing connections, so that none of them takes a port before its server does."""


class ServerFailed(AssertionError):
    """The server process ended or did not answer in time; the text is its log."""


class Server:
    """`python -m chainlit run app.py -h --port …` with its own DATA_DIR, in `cwd`."""

    def __init__(
        self, data_dir: Path, *, app: str = "app.py", env: Mapping[str, str] | None = None, cwd: Path = ROOT
    ) -> None:
        self.data_dir, self.app, self.cwd = data_dir, app, cwd
        self.port = free_port()
        self.env = dict(env or {})
        self._log = data_dir.parent / f"{data_dir.name}-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self, *, wait: bool = True) -> Self:
        """Start it; returns once the port answers. Raises ServerFailed with the log, and leaves nothing running."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "chainlit", "run", self.app, "-h", "--port", str(self.port)]
        unwanted = {"DATABASE_URL", "LITERAL_API_KEY", "CHAINLIT_AUTH_SECRET"}
        inherited = {name: value for name, value in os.environ.items() if name not in unwanted}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.cwd,
                env={**inherited, "DATA_DIR": str(self.data_dir), "PYTHONUNBUFFERED": "1", **self.env},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if wait:
            try:
                self.wait_ready()
            except ServerFailed:
                self.kill()
                raise
        return self

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until the port answers."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                raise ServerFailed(f"the server ended before it was ready\n{self.log()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise ServerFailed(f"the server did not answer within {seconds:.0f} s\n{self.log()}")

    def stop(self) -> int:
        """SIGTERM, as an operator stops it; returns the exit code. Kills it if it does not go."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """SIGKILL: a crash."""
        return self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(how)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise ServerFailed(f"the server did not stop within {STOP_SECONDS:.0f} s\n{self.log()}") from None

    def wait_exit(self, seconds: float = START_SECONDS) -> int:
        """The exit code of a server that is expected to give up by itself."""
        assert self._process is not None
        code = self._process.wait(seconds)
        self._process = None
        return code

    def log(self) -> str:
        """What it printed so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            print(self.log()[-8000:])  # noqa: T201  pytest shows it with the failure
        self._end(signal.SIGTERM)


def free_port() -> int:
    """A port that nobody listens on, and that no other run of the tests is given before this process ends."""
    while True:
        port = random.choice(PORTS)
        held = os.open(Path(tempfile.gettempdir(), f"frontdesk-port-{os.getuid()}-{port}"), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(held)
            continue
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float = START_SECONDS) -> None:
    """Wait until this process listens there. Raises ServerFailed."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise ServerFailed(f"nothing listens on port {port}")
