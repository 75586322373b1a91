"""Reading and deciding: what intent, mood, the guard and the rules cost a message on top of the search's embedding."""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.report import Goal, Result, Row
from bot.decide import decide, read_limits
from bot.domain import Standing
from bot.guard import guard
from bot.settings import Settings
from bot.wiring import open_message_reader
from evals.transcripts import read_transcripts
from knowledge.embed import Embedder
from tests.server import ROOT

QUESTIONS = sorted((ROOT / "evals" / "transcripts").glob("larkfield-questions-*.jsonl"))


def run(*, quick: bool = False) -> Result:
    """Each question once, new to the embedder; then guard, reading and decision by themselves."""
    asked = [turn.customer for file in QUESTIONS for one in read_transcripts(file) for turn in one.turns]
    asked = asked[:60] if quick else asked
    with TemporaryDirectory(prefix="frontdesk-reading-") as folder:
        settings = Settings(data_dir=Path(folder))
        embedder = Embedder()
        reader = open_message_reader(settings, embedder)
        limits = read_limits(settings)

        def read(text: str) -> None:
            message = guard(text, settings.message_max_chars, settings.country)
            decide(reader.read_now(message.text, asked[:3], Standing()).signals, limits)

        rows = [_row("embedding, which the search needs anyway", embedder.embed_query, asked), _row("reading", read, asked)]
    return Result(
        name="reading",
        rows=rows,
        goals=[Goal(what="guard, reading and decision, CPU ms p95", figure=rows[1]["p95 ms"], limit=15)],
        remarks=[f"{len(asked)} Larkfield questions, one thread, CPU time of that thread"],
        details={},
    )


def _row(what: str, work: Callable[[str], object], texts: list[str]) -> Row:
    took = []
    for text in texts:
        began = time.thread_time()
        work(text)
        took.append((time.thread_time() - began) * 1e3)
    took.sort()
    return {"what": what, "p50 ms": round(took[len(took) // 2], 2), "p95 ms": round(took[int(len(took) * 0.95)], 2)}
