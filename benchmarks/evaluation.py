"""The evaluation itself: how long 1,000 turns take, whether planted regressions are found and an unchanged bot passes."""

import asyncio
import shutil
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.report import Goal, Result, Row
from bot.llm.stream import Event, Finished, Limits, Request, Text
from bot.prompts.loader import FOLDER
from bot.settings import Settings
from evals.comparison import Verdict, compare_sides
from evals.gate import GateClosed, check_gate
from evals.play import play, read_sources
from evals.players import Setup
from evals.runs import Source, read_run
from evals.score import Judged, add_up, judge_run
from evals.sides import side_of
from evals.transcripts import Transcript
from tests.server import ROOT

TRANSCRIPTS = ROOT / "evals" / "transcripts"
LABELLED = [TRANSCRIPTS / "larkfield-dev.jsonl", TRANSCRIPTS / "larkfield-test.jsonl"]
FILES = [*LABELLED, *sorted(TRANSCRIPTS.glob("larkfield-questions-*.jsonl"))]
ARTICLES = ROOT / "knowledge" / "articles"
TURNS = 1000
TIMES = 10
EXTRACTIVE = {"llm_providers": "extractive"}
RULE = "put the number of the passage it comes from"
"""What the prompt of the answers says about citing."""


class ObedientLLM:
    """Quotes its first passage and cites it as long as its prompt asks for that; else it says what is plausible."""

    name, model = "obedient", "script"

    async def stream(self, request: Request, limits: Limits) -> AsyncGenerator[Event, None]:
        """Either of the two, in one piece; a question that is to be put in other words stays as it is."""
        if request.found.passages:
            passage = request.found.passages[0].text.split("\n\n")[0]
            free = "That is usually sorted out within a day or two. Just switch everything off and wait for a message."
            yield Text(text=f"{passage} [1]" if RULE in " ".join(request.lines[0].text.split()) else free)
        else:
            yield Text(text=request.question)
        yield Finished(reason="stop", provider=self.name, model=self.model, prompt_tokens=500, completion_tokens=60)

    async def close(self) -> None:
        """Nothing to release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A change that makes the bot worse, and the bot that it is compared with."""

    what: str
    setup: Setup
    against: str


def run(*, quick: bool = False) -> Result:
    """The timing, then the regressions, then the unchanged bot."""
    with TemporaryDirectory(prefix="frontdesk-evaluation-") as folder:
        stage = _Stage(Path(folder))
        timed = stage.time_turns(100 if quick else TURNS)
        bots = {"extractive": stage.judge(stage.setup()), "model": stage.judge(stage.setup(llm=_obedient))}
        plants = stage.plants()[:: 5 if quick else 1]
        found = [stage.try_plant(plant, bots[plant.against]) for plant in plants]
        passed = [stage.try_again(jobs, bots["extractive"]) for jobs in range(1, 3 if quick else TIMES + 1)]
    goals = [
        Goal(what=f"seconds to play and score {timed['turns']} turns", figure=float(str(timed["seconds"])), limit=60),
        Goal(what="planted regressions found by compare", figure=_count(found, "compare"), limit=len(found), at_most=False),
        Goal(what="planted regressions stopped by gate", figure=_count(found, "gate"), limit=len(found), at_most=False),
        Goal(what="unchanged bots that pass", figure=_count(passed, "passed"), limit=len(passed), at_most=False),
    ]
    remarks = ["The unchanged bot is played with 1 to 10 conversations at once; its turns are compared byte by byte, too."]
    return Result(name="evaluation", rows=[*found, *passed], goals=goals, remarks=remarks, details={"timed": timed})


class _Stage:
    """Plays bots in a folder that goes away."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs = 0
        self._sources, self._transcripts = read_sources(LABELLED)

    def setup(self, **changes: object) -> Setup:
        plain = Setup(settings=EXTRACTIVE, articles=ARTICLES, cache=self._folder / "cache")
        return replace(plain, **changes)  # type: ignore[arg-type]

    def judge(self, setup: Setup, jobs: int = 4) -> Judged:
        return judge_run(read_run(self._play(setup, self._sources, self._transcripts, jobs)))

    def time_turns(self, turns: int) -> Mapping[str, object]:
        """All labelled transcripts as often as it takes, with an index and intents that are ready."""
        sources, transcripts = _enough(turns)
        self._play(self.setup(), sources, transcripts[:1])
        began = time.perf_counter()
        scores = add_up(judge_run(read_run(self._play(self.setup(), sources, transcripts))))
        return {"turns": scores.run.turns, "seconds": round(time.perf_counter() - began, 1)}

    def plants(self) -> list[Plant]:
        """Four thresholds moved, three articles deleted, three prompts that drop citations."""
        thresholds = [{"answerable_above": "0.95"}, {"answerable_above": "0.99"}, {"frustration_above": "0.05"}]
        thresholds.append({"long_conversation_turns": "2"})  # a colleague is offered all too soon
        plants = [
            Plant(what=str(one), setup=self.setup(settings=EXTRACTIVE | one), against="extractive") for one in thresholds
        ]
        for name in ("late-or-missed-payment", "outage-compensation", "router-lights"):
            plants.append(
                Plant(what=f"without {name}", setup=self.setup(articles=self._without(name)), against="extractive")
            )
        for number, other in enumerate(("answer briefly", "be friendly", "say what you know"), start=1):
            prompts = self._prompts(number, other)
            plants.append(Plant(what=f"prompt: {other}", setup=self.setup(llm=_obedient, prompts=prompts), against="model"))
        return plants

    def try_plant(self, plant: Plant, before: Judged) -> Row:
        """Whether compare and gate find it."""
        after = self.judge(plant.setup)
        verdict = compare_sides(side_of(before), side_of(after)).verdict
        return {
            "bot": plant.what,
            "compare": verdict in (Verdict.WORSE, Verdict.MIXED),
            "gate": bool(closed := _closed(after, before)),
            "why": closed.splitlines()[0][:90] if closed else "",
        }

    def try_again(self, jobs: int, before: Judged) -> Row:
        """Whether the same bot passes and writes the same bytes."""
        after = self.judge(self.setup(), jobs)
        same = _turns(after) == _turns(before)
        return {"bot": f"unchanged, {jobs} at once", "passed": not _closed(after, before) and same}

    def _play(self, setup: Setup, sources: tuple[Source, ...], transcripts: Sequence[Transcript], jobs: int = 4) -> Path:
        self._runs += 1
        out = self._folder / f"run-{self._runs}"
        asyncio.run(play(setup, sources, transcripts, out, jobs))
        return out

    def _without(self, name: str) -> Path:
        """The articles without one of them."""
        folder = self._folder / f"without-{name}"
        shutil.copytree(ARTICLES, folder)
        (found,) = folder.rglob(f"{name}.md")
        found.unlink()
        return folder

    def _prompts(self, number: int, other: str) -> Path:
        """The prompts with something else where the answers are told to cite."""
        folder = self._folder / f"prompts-{number}"
        shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        file = folder / "answer.md"
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [f"2. {other.capitalize()}.\n" if line.startswith("2. ") else line for line in lines]
        file.write_text("".join(kept), encoding="utf-8")
        return folder


def _obedient(_: Settings) -> ObedientLLM:
    return ObedientLLM()


def _closed(after: Judged, before: Judged) -> str:
    try:
        check_gate(after, side_of(before), allow_known=True)
    except GateClosed as reasons:
        return str(reasons)
    return ""


def _turns(judged: Judged) -> bytes:
    return (judged.run.folder / "turns.jsonl").read_bytes()


def _enough(turns: int) -> tuple[tuple[Source, ...], list[Transcript]]:
    """Transcripts with so many turns together; those that come again have ids of their own."""
    sources, known = read_sources(FILES)
    taken: list[Transcript] = []
    left, again = turns, 0
    while left > 0:
        for one in known:
            if left > 0:
                taken.append(one.model_copy(update={"id": f"{one.id}-{again}"}))
                left -= len(one.turns)
        again += 1
    return sources, taken


def _count(rows: Sequence[Row], name: str) -> float:
    return float(sum(bool(row[name]) for row in rows))
