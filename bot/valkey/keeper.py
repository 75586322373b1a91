"""Keeps the embedded server while anybody uses it: a program of its own, with nothing but the standard library.

It starts the server, waits until the last process lets go of the lock on the users' file (a process that is killed lets go
too), and then ends the server. Usage: keeper.py USERS_FILE SERVER ARGUMENT...
"""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

END_SECONDS = 10.0


def main(users: Path, command: list[str]) -> None:
    """Run the server until nobody uses it any more, or until it ends by itself."""
    for ignored in (signal.SIGINT, signal.SIGHUP):  # Ctrl-C is for those who use the server, who then let go of it
        signal.signal(ignored, signal.SIG_IGN)
    running = users.with_name("running").open("ab")
    fcntl.flock(running, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the server keeps it: never two on the same files
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[running.fileno()])  # noqa: S603

    def end_with_server(_signal: int, _frame: FrameType | None) -> None:
        if server.poll() is not None:
            os._exit(1)

    signal.signal(signal.SIGCHLD, end_with_server)
    end_with_server(0, None)  # it may have ended before we listened
    with users.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # who starts meanwhile waits until the server has ended
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        server.terminate()
        try:
            server.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
