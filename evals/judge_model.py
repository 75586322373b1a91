"""A language model as a judge: asked for JSON of a given shape, kept by what it was asked, and not believed unread."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot.errors import AllProvidersFailed, ProviderFailed
from bot.llm.extractive import ExtractiveLLM
from bot.llm.stream import Limits, Line, Request, Text
from bot.llm.vendors import VENDORS, build_llm, provider_names
from bot.settings import ProviderName, Settings
from evals.answer_cache import CachedLLM
from knowledge.document import Found

SECONDS = 60.0
"""For one judgement, all that is asked for it together."""
MOST_TOKENS = 2_000
PAUSES = (1.0, 4.0, 15.0)
"""Seconds before a judge that was busy is asked again."""
_BUSY = frozenset({"rate limited", "down", "refused", "stream broken", "empty completion"})
"""Failures that pass."""
_HOPELESS = frozenset({"unauthorised", "quota exhausted", "model or path unknown"})
"""Failures that asking again does not mend, and that meet every question alike."""
_NEVER = 1_000_000
Shape = TypeVar("Shape", bound=BaseModel)


class Nonsense(Exception):
    """What the model wrote is not of the shape that it was asked for."""


class JudgeFailed(Exception):
    """The model did not answer; the text is made of our words."""


def accept_any(_: BaseModel) -> None:
    """Whatever has the shape will do."""


def judging_providers(settings: Settings) -> tuple[ProviderName, ...]:
    """Who can judge: those that the bot is told to ask, else everybody with a key or an address of one's own."""
    asked = [name for name in provider_names(settings) if name not in ("extractive", "scripted")]
    return tuple(asked or (name for name, vendor in VENDORS.items() if vendor.configured(settings)))


class JudgeModel:
    """Asks our providers, in their order, and keeps what they answered in `folder`: asked again, it costs nothing."""

    def __init__(self, settings: Settings, folder: Path | None = None, seconds: float = SECONDS) -> None:
        """Raises SettingsInvalid."""
        names = judging_providers(settings)
        patient = {"llm_patience_seconds": 2 * seconds, "llm_breaker_failures": _NEVER}  # its load is ours: it is waited for
        llm = build_llm(settings.model_copy(update={"llm_providers": names, **patient}), ExtractiveLLM())
        self.name = f"{', '.join(names)} ({llm.model})"
        self.seconds = seconds
        self._llm = llm
        self._cached = CachedLLM(llm, folder, salt=_address(settings, names)) if folder else None
        self._hopeless = ""

    async def ask(self, prompt: str, shape: type[Shape], check: Callable[[Shape], None] = accept_any) -> Shape:
        """The answer, read and checked. A judge that is busy is asked again.

        Raises Nonsense, also when `check` does, and then nothing is kept; JudgeFailed when no answer came.
        """
        request = _request(prompt)
        text = await self._hear(request)
        try:
            answer = shape.model_validate_json(_json(text))
            check(answer)
        except (ValidationError, Nonsense) as odd:
            if self._cached:
                self._cached.forget(request)
            raise Nonsense(str(odd.errors()[0]["msg"]) if isinstance(odd, ValidationError) else str(odd)) from None
        return answer

    async def close(self) -> None:
        """Release connections."""
        await self._llm.close()

    async def _hear(self, request: Request) -> str:
        """The answer's text. Raises JudgeFailed."""
        for pause in (*PAUSES, None):
            if self._hopeless:
                break
            try:
                return await self._hear_once(request)
            except ProviderFailed as failure:
                kinds = {one.kind for one in (failure.failures if isinstance(failure, AllProvidersFailed) else (failure,))}
            if kinds and kinds <= _HOPELESS:
                self._hopeless = ", ".join(sorted(kinds))
            if pause is None or (kinds and not kinds & _BUSY):
                raise JudgeFailed(", ".join(sorted(kinds)) or "left out after failures")
            await asyncio.sleep(pause)
        raise JudgeFailed(self._hopeless)

    async def _hear_once(self, request: Request) -> str:
        long = 2 * self.seconds  # who asks for a judgement has a limit of its own
        deadline = asyncio.get_running_loop().time() + long
        limits = Limits(connect_seconds=long, first_token_seconds=long, between_tokens_seconds=long, deadline=deadline)
        async with aclosing((self._cached or self._llm).stream(request, limits)) as events:
            return "".join([event.text async for event in events if isinstance(event, Text)])


def _request(prompt: str) -> Request:
    return Request(
        lines=(Line(role="customer", text=prompt),),
        question=prompt,
        found=Found(passages=(), answerability=1.0, version=""),
        max_tokens=MOST_TOKENS,
        temperature=0.0,
    )


def _address(settings: Settings, names: Sequence[ProviderName]) -> str:
    """Who is asked, and where: another server or model gives other answers to the same request."""
    told: dict[str, Any] = settings.model_dump(mode="json")
    kept = {key: value for key, value in told.items() if key.endswith(("_base_url", "_endpoint", "_model", "_deployment"))}
    return json.dumps([list(names), kept], sort_keys=True)


def _json(text: str) -> str:
    """What stands between the first and the last brace: models put words and fences around it."""
    return text[text.find("{") : text.rfind("}") + 1]
