"""A model that replays what it was told to say: for tests, demos and benchmarks. It ships with the product."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from bot import errors
from bot.errors import ProviderFailed, SettingsInvalid
from bot.llm.pace import Pace
from bot.llm.stream import Event, Finished, Limits, Request, Text, ToolRequest
from bot.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Begins a script that is only for requests whose last line (the customer's, or a tool's result) holds these words."""

    words: str


Moment = Event | When | float | ProviderFailed
"""What a script is made of: an event, a pause in seconds, or a failure; first of all it may say what it is for."""
Script = Sequence[Moment]

MOST_REQUESTS = 1000
_FAILURES: Mapping[str, type[ProviderFailed]] = {
    kind.kind.replace(" ", "_"): kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ProviderFailed) and kind is not errors.AllProvidersFailed
}
_WORD = re.compile(r"\S+\s*|\s+")
_TOLD = re.compile(r"<tool_result [^>]*>\n(.*)\n</tool_result>", re.DOTALL)
RESULT = "{result}"
"""In a script's text it stands for what the last tool told."""


class ScriptedLLM:
    """Replays its scripts in order, one a stream, and begins again; keeps the last requests it was sent.

    A script that begins with a When is passed over in that order, and goes before it where its words are there. One that
    does not end with Finished or a failure is a stream that dies.
    """

    def __init__(self, scripts: Sequence[Script], *, name: str = "scripted", model: str = "script") -> None:
        self.name = name
        self.model = model
        self.requests: list[Request] = []
        self._meant = [(first, script[1:]) for script in scripts for first in script[:1] if isinstance(first, When)]
        self._in_order = [script for script in scripts if not (script and isinstance(script[0], When))]
        self._asked = 0

    async def stream(self, request: Request, limits: Limits) -> AsyncGenerator[Event, None]:
        """The next script, under the same limits as a real provider."""
        self.requests = [*self.requests[-MOST_REQUESTS + 1 :], request]
        pace = Pace(self.name, limits)
        for moment in self._script(request):
            if isinstance(moment, ProviderFailed):
                raise moment
            if isinstance(moment, int | float):
                await pace.next(asyncio.sleep(moment))
                continue
            if isinstance(moment, When):
                continue
            pace.moved()
            yield self._signed(_filled(moment, request))

    async def close(self) -> None:
        """Nothing to release."""

    def _script(self, request: Request) -> Script:
        """The script that is meant for the request, else the next; without any it says nothing."""
        last = request.lines[-1].text.casefold() if request.lines else ""
        for when, script in self._meant:
            if when.words.casefold() in last:
                return script
        if not self._in_order:
            return [Finished(reason="stop", provider="", model="")]
        self._asked += 1
        return self._in_order[(self._asked - 1) % len(self._in_order)]

    def _signed(self, event: Event) -> Event:
        """The event under this model's name, where the script left it out."""
        if isinstance(event, Finished) and not event.provider:
            return replace(event, provider=self.name, model=self.model)
        return replace(event, provider=self.name) if isinstance(event, ToolRequest) and not event.provider else event


def say(text: str, *, pause_seconds: float = 0.0) -> list[Moment]:
    """A script that says a text word by word and finishes."""
    moments: list[Moment] = []
    for word in _WORD.findall(text):
        moments += [pause_seconds, Text(text=word)] if pause_seconds else [Text(text=word)]
    return [*moments, Finished(reason="stop", provider="", model="")]


def _filled(event: Event, request: Request) -> Event:
    if not isinstance(event, Text) or RESULT not in event.text:
        return event
    told = _TOLD.search(request.lines[-1].text)
    return replace(event, text=event.text.replace(RESULT, told[1] if told else ""))


def read_scripts(path: Path) -> list[Script]:
    """Scripts from a YAML or JSON file: a list of them, each a list of steps. Raises SettingsInvalid naming file and step.

    A step is one of `say: TEXT` (word by word, with `pause_seconds`), `text: PIECE`, `wait: SECONDS`,
    `tool: {name, arguments}`, `fail: KIND` (`rate_limited` and so on, with `retry_after`), `finish: stop | length | tools`
    or `cut: true`. A script that ends with none of the last three finishes well. `when: WORDS` as a first step says which
    requests it is for (`When`), and `{result}` in a text is what the last tool told.
    """
    try:
        text = path.read_text(encoding="utf-8")
        scripts = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as unreadable:
        raise SettingsInvalid(f"LLM_SCRIPT: {path} cannot be read: {unreadable}") from None
    if not isinstance(scripts, list) or not scripts or not all(isinstance(script, list) and script for script in scripts):
        raise SettingsInvalid(f"LLM_SCRIPT: {path} is not a list of scripts, each a list of steps")
    return [_read_script(path, number, script) for number, script in enumerate(scripts, start=1)]


def build_scripted(settings: Settings) -> ScriptedLLM:
    """The scripts of LLM_SCRIPT."""
    if settings.llm_script is None:
        raise SettingsInvalid("LLM_SCRIPT: needed, because LLM_PROVIDERS names `scripted`")
    return ScriptedLLM(read_scripts(settings.llm_script))


def _read_script(path: Path, number: int, steps: Sequence[Any]) -> Script:
    moments: list[Moment] = []
    for place, step in enumerate(steps, start=1):
        try:
            read = next(reader for name, reader in _STEPS.items() if name in step)
            moments += read(step)
        except (StopIteration, TypeError, ValueError, LookupError, AttributeError) as wrong:
            why = f"{type(wrong).__name__}: {wrong}" if str(wrong) else f"none of {', '.join(_STEPS)}"
            raise SettingsInvalid(f"LLM_SCRIPT: {path}, script {number}, step {place} ({step!r}): {why}") from None
    last = steps[-1]
    if not any(name in last for name in ("finish", "fail", "cut")):
        tools = any(isinstance(moment, ToolRequest) for moment in moments)
        moments.append(Finished(reason="tools" if tools else "stop", provider="", model=""))
    return moments


def _read_say(step: Mapping[str, Any]) -> list[Moment]:
    return say(str(step["say"]), pause_seconds=float(step.get("pause_seconds", 0)))[:-1]


def _read_tool(step: Mapping[str, Any]) -> list[Moment]:
    tool = step["tool"]
    name, arguments = tool["name"], tool.get("arguments", {})
    return [ToolRequest(id=f"call_{name}", name=str(name), arguments=dict(arguments))]


def _read_fail(step: Mapping[str, Any]) -> list[Moment]:
    return [_FAILURES[step["fail"]]("scripted", str(step.get("detail", "")), retry_after=step.get("retry_after"))]


def _read_finish(step: Mapping[str, Any]) -> list[Moment]:
    if step["finish"] not in ("stop", "length", "tools"):
        raise ValueError("finish is stop, length or tools")
    return [Finished(reason=step["finish"], provider="", model="")]


_STEPS: Mapping[str, Callable[[Mapping[str, Any]], list[Moment]]] = {
    "say": _read_say,
    "text": lambda step: [Text(text=str(step["text"]))],
    "wait": lambda step: [float(step["wait"])],
    "tool": _read_tool,
    "fail": _read_fail,
    "finish": _read_finish,
    "cut": lambda step: [],
    "when": lambda step: [When(words=str(step["when"]))],
}
