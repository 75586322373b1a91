"""The servers that are compared, each a process of its own: Frontdesk, and a stock Chainlit echo in an empty folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.server import Server

ECHO = """\
import chainlit as cl


@cl.on_message
async def echo(message: cl.Message) -> None:
    await cl.Message(content=message.content).send()
"""
IDLE = ("idle", "iowait", "steal", "guest", "guest_nice")
NO_LIMITS = {
    "MESSAGES_PER_MINUTE": "1000000",
    "VISITORS_PER_MINUTE": "1000000",
    # Customers who ask without end would soon be handed over, and then nobody answers them.
    "UNHELPED_TURNS": "1000000",
    "FRUSTRATION_ABOVE": "1",
    "DECLINING_ABOVE": "1",
}


@contextmanager
def frontdesk() -> Iterator[Server]:
    """The product as it comes (SQLite, the demo company's articles, no key), limits of rate lifted."""
    with TemporaryDirectory(prefix="frontdesk-bench-") as folder, Server(Path(folder) / "data", env=NO_LIMITS) as server:
        yield server


@contextmanager
def stock_echo() -> Iterator[Server]:
    """`chainlit run` of the smallest echo there is, with the settings Chainlit writes itself."""
    with TemporaryDirectory(prefix="echo-bench-") as folder:
        (Path(folder) / "echo.py").write_text(ECHO, encoding="utf-8")
        with Server(Path(folder) / "data", app="echo.py", cwd=Path(folder)) as server:
            yield server


class Meter:
    """What a server process and its children use: seconds of processor time, mebibytes of resident memory."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)

    def cpu_seconds(self) -> float:
        """Processor time so far, user and system."""
        return float(sum(times.user + times.system for times in (one.cpu_times() for one in self._all())))

    def rss_mib(self) -> float:
        """Resident memory now."""
        return float(sum(one.memory_info().rss for one in self._all())) / 2**20

    def _all(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]


class Busyness:
    """Processor seconds since it was made: of the whole machine, and of child processes that have ended meanwhile."""

    def __init__(self) -> None:
        self._machine, self._children = _machine_seconds(), _children_seconds()

    def busy_seconds(self) -> float:
        """What all cores did together."""
        return _machine_seconds() - self._machine

    def children_seconds(self) -> float:
        """What our ended children did."""
        return _children_seconds() - self._children


def _machine_seconds() -> float:
    times = psutil.cpu_times()._asdict()
    return float(sum(seconds for what, seconds in times.items() if what not in IDLE))


def _children_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system
