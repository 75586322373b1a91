"""ragas' Faithfulness as a judge, asked through our own providers. Needs a key, and what `make judge` installs.

Only here is ragas imported, and late: it takes seconds and 200 MB, and nobody without a key needs it.
"""

import asyncio
import math
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from tqdm import tqdm

from bot.settings import Settings
from evals.judge_model import SECONDS, JudgeFailed, JudgeModel, Nonsense, judging_providers

JOBS = 8
"""Judgements at the same time."""
NO_KEY = "no provider has a key: set OPENAI_API_KEY, GEMINI_API_KEY or COMPATIBLE_BASE_URL to let ragas judge too"
NO_RAGAS = "ragas is not installed: `make judge` adds it"


class JudgeMissing(Exception):
    """ragas cannot be asked; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A response to a question, and the texts that it must rest on."""

    question: str
    response: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The share of a response's statements that its sources bear; None is unscored, and `why` says for what reason."""

    value: float | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was said of each response, in order, and by which model."""

    judge: str
    judgements: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """How ragas is asked: where answers are kept, how long a judgement may take, how many at the same time."""

    folder: Path | None = None
    seconds: float = SECONDS
    jobs: int = JOBS


def judge_with_ragas(claimed: Sequence[Claimed], settings: Settings, judging: Judging | None = None) -> Judged:
    """What ragas says of each. Raises JudgeMissing."""
    if not judging_providers(settings):
        raise JudgeMissing(NO_KEY)
    base, metric = _load()
    return asyncio.run(_judge_all(claimed, settings, judging or Judging(), (base, metric)))


def _load() -> tuple[Any, Any]:
    """The base of ragas' models and its metric. Raises JudgeMissing."""
    os.environ["RAGAS_DO_NOT_TRACK"] = "true"  # the word, and before the import: with 1 it reports home
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from ragas.llms.base import InstructorBaseRagasLLM  # noqa: PLC0415
            from ragas.metrics.collections import Faithfulness  # noqa: PLC0415
    except ImportError as missing:
        raise JudgeMissing(f"{NO_RAGAS} ({missing})") from missing
    return InstructorBaseRagasLLM, Faithfulness


async def _judge_all(claimed: Sequence[Claimed], settings: Settings, how: Judging, ragas: tuple[Any, Any]) -> Judged:
    model = JudgeModel(settings, how.folder, how.seconds)
    places = asyncio.Semaphore(max(1, how.jobs))
    with tqdm(total=len(claimed), desc=f"ragas, {model.name}", disable=None, leave=False) as bar:

        async def one(text: Claimed) -> Judgement:
            async with places:
                judgement = await judge(text, model, ragas)
                bar.update()
                return judgement

        try:
            return Judged(judge=model.name, judgements=tuple(await asyncio.gather(*map(one, claimed))))
        finally:
            await model.close()


async def judge(text: Claimed, model: JudgeModel, ragas: tuple[Any, Any]) -> Judgement:
    """None when the judge failed, timed out, spoke nonsense or found no statement: unscored, which is not unsupported."""
    base, metric = ragas
    try:
        async with asyncio.timeout(model.seconds):
            result = await metric(llm=_router(base, model)).ascore(
                user_input=text.question, response=text.response, retrieved_contexts=list(text.sources)
            )
    except TimeoutError:
        return Judgement(value=None, why=f"the judge took longer than {model.seconds:g} s")
    except Nonsense as nonsense:
        return Judgement(value=None, why=f"the judge spoke nonsense: {nonsense}")
    except JudgeFailed as failure:
        return Judgement(value=None, why=f"the judge failed: {failure}")
    value = float(result.value)
    return Judgement(value=None, why="the judge found no statement") if math.isnan(value) else Judgement(value=value)


def _router(base: Any, model: JudgeModel) -> Any:  # noqa: ANN401 - ragas has no types
    """What ragas asks for one response: first its statements, then a verdict on each."""
    statements: list[str] = []

    class Router(base):  # type: ignore[misc]
        def generate(self, prompt: str, response_model: type[BaseModel]) -> BaseModel:
            raise NotImplementedError("ragas is asked with `ascore`")

        async def agenerate(self, prompt: str, response_model: type[BaseModel]) -> BaseModel:
            if statements:
                return await model.ask(prompt, response_model, partial(_check_verdicts, len(statements)))
            answer: Any = await model.ask(prompt, response_model)
            statements.extend(answer.statements)
            return answer  # type: ignore[no-any-return]

    return Router()


def _check_verdicts(asked: int, answer: Any) -> None:  # noqa: ANN401 - ragas has no types
    """Ragas divides what it gets by what it gets, whatever that is. Raises Nonsense."""
    told = answer.statements
    if len(told) != asked:
        raise Nonsense(f"{len(told)} verdicts on {asked} statements")
    if odd := [one.verdict for one in told if one.verdict not in (0, 1)]:
        raise Nonsense(f"a verdict of {odd[0]}")
