"""Start-up: seconds from starting the process to the first page served, memory, and the size of what is installed."""

import importlib.metadata
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.report import Goal, Result, Row
from benchmarks.servers import Meter
from tests.server import ROOT, Server

STARTS = 3
LONGEST_SECONDS = 180.0
PRODUCT_LOCK = ROOT / "requirements.lock"


def run(*, quick: bool = False) -> Result:
    """Start on an empty data folder, then again on what it left there."""
    with TemporaryDirectory(prefix="frontdesk-startup-") as folder:
        server = Server(Path(folder) / "data")
        rows = [_start(server, "first start, builds the index")]
        rows += [_start(server, "start") for _ in range(1 if quick else STARTS)]
    seconds = sorted(row["first page s"] for row in rows[1:])
    installed = _installed()
    return Result(
        name="startup",
        rows=rows,
        goals=[
            Goal(what="median start, s", figure=seconds[len(seconds) // 2], limit=15),
            Goal(what="a start, processor time in s", figure=min(row["CPU s"] for row in rows[1:]), limit=12),
            Goal(what="memory after a start, MiB", figure=min(row["RSS MiB"] for row in rows[1:]), limit=500),
        ],
        remarks=[
            f"the product's packages take {sum(installed.values()) / 2**20:,.0f} MiB in {len(installed)} packages, of them "
            + ", ".join(f"{name} {size / 2**20:,.0f}" for name, size in sorted(installed.items(), key=_by_size)[:5])
        ],
        details={"installed bytes": installed},
    )


def _start(server: Server, what: str) -> Row:
    began = time.monotonic()
    server.start(wait=False)
    try:
        _wait_for_page(server, began + LONGEST_SECONDS)
        seconds = time.monotonic() - began
        meter = Meter(server.pid)
        return {
            "what": what,
            "first page s": round(seconds, 1),
            "CPU s": round(meter.cpu_seconds(), 1),
            "RSS MiB": round(meter.rss_mib(), 1),
        }
    finally:
        server.stop()


def _wait_for_page(server: Server, until: float) -> None:
    while True:
        try:
            with urllib.request.urlopen(server.address + "/", timeout=10) as answer:
                answer.read()
                return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def _installed() -> dict[str, int]:
    """Bytes by package, of those that the product's lock names and that are installed here."""
    found = {}
    for name in _locked_names():
        try:
            files = importlib.metadata.distribution(name).files or ()
        except importlib.metadata.PackageNotFoundError:
            continue
        paths = (Path(str(file.locate())) for file in files)
        found[name] = sum(path.stat().st_size for path in paths if path.is_file())
    return found


def _locked_names() -> Iterator[str]:
    for line in PRODUCT_LOCK.read_text(encoding="utf-8").splitlines():
        if line and not line[0].isspace() and "==" in line:
            yield line.split("==")[0].split("[")[0]


def _by_size(item: tuple[str, int]) -> int:
    return -item[1]
