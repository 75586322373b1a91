"""ragas' Faithfulness as a judge, asked through our own providers. Needs a key and the group `evals-llm`.

Only here is ragas imported, and late: it takes seconds and 200 MB, and nobody without a key needs it.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from tqdm import tqdm

from bot.errors import ProviderFailed
from bot.llm.extractive import ExtractiveLLM
from bot.llm.stream import LLM, Line, Request, Text
from bot.llm.vendors import build_llm, provider_names, turn_limits
from bot.settings import Settings
from evals.pairs import PairRow
from knowledge.document import Found

QUESTION = "What do the sources say?"
"""Pairs have no question, and ragas wants one."""
SECONDS = 60.0
MOST_TOKENS = 2_000
NO_KEY = "no provider has a key: set OPENAI_API_KEY, GEMINI_API_KEY or COMPATIBLE_BASE_URL to let ragas judge too"
NO_RAGAS = "ragas is not installed: `uv sync --group evals-llm`"


class JudgeMissing(Exception):
    """ragas cannot be asked; the text says what to do."""


def judge_with_ragas(rows: Sequence[PairRow], settings: Settings) -> list[float | None]:
    """The share of each response's statements that the sources bear; None where no score came. Raises JudgeMissing."""
    names = tuple(name for name in provider_names(settings) if name != "extractive")
    if not names:
        raise JudgeMissing(NO_KEY)
    os.environ["RAGAS_DO_NOT_TRACK"] = "true"  # the word, and before the import: with 1 it reports home
    try:
        from ragas.llms.base import InstructorBaseRagasLLM  # noqa: PLC0415
        from ragas.metrics.collections import Faithfulness  # noqa: PLC0415
    except ImportError as missing:
        raise JudgeMissing(f"{NO_RAGAS} ({missing})") from missing
    return asyncio.run(
        _judge(rows, settings.model_copy(update={"llm_providers": names}), InstructorBaseRagasLLM, Faithfulness)
    )


async def _judge(rows: Sequence[PairRow], settings: Settings, base: Any, metric: Any) -> list[float | None]:  # noqa: ANN401
    llm = build_llm(settings, ExtractiveLLM())

    class Router(base):  # type: ignore[misc]
        """What ragas asks: our providers, in their order."""

        def generate(self, prompt: str, response_model: type[BaseModel]) -> BaseModel:
            return asyncio.run(self.agenerate(prompt, response_model))

        async def agenerate(self, prompt: str, response_model: type[BaseModel]) -> BaseModel:
            return response_model.model_validate_json(_json(await _ask(llm, settings, prompt)))

    faithfulness = metric(llm=Router())
    try:
        return [await _score(faithfulness, row) for row in tqdm(rows, desc="ragas", disable=None, leave=False)]
    finally:
        await llm.close()


async def _score(faithfulness: Any, row: PairRow) -> float | None:  # noqa: ANN401
    """None when the judge failed, timed out, spoke nonsense or found no statement: unscored, which is not unsupported."""
    try:
        async with asyncio.timeout(SECONDS):
            result = await faithfulness.ascore(
                user_input=QUESTION, response=row.response, retrieved_contexts=list(row.source)
            )
    except (ProviderFailed, ValidationError, ValueError, TimeoutError):
        return None
    value = float(result.value)
    return value if 0 <= value <= 1 else None


async def _ask(llm: LLM, settings: Settings, prompt: str) -> str:
    limits = turn_limits(settings, asyncio.get_running_loop().time() + SECONDS)
    request = Request(
        lines=(Line(role="customer", text=prompt),),
        question=prompt,
        found=Found(passages=(), answerability=1.0, version=""),
        max_tokens=MOST_TOKENS,
        temperature=0.0,
    )
    return "".join([event.text async for event in llm.stream(request, limits) if isinstance(event, Text)])


def _json(text: str) -> str:
    """What stands between the first and the last brace: models put words and fences around it."""
    return text[text.find("{") : text.rfind("}") + 1]
