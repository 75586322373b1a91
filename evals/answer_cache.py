"""Providers' answers kept by what was asked, so that playing the same transcripts again costs nothing."""

import hashlib
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.llm.stream import LLM, Attempt, Began, Event, Finished, Limits, Replaced, Request, Text, ToolRequest

_KINDS: Mapping[str, type[Event]] = {one.__name__: one for one in (Began, Text, ToolRequest, Replaced, Finished)}


class CachedLLM:
    """An LLM that asks the one behind it only what it was never asked; keeps nothing that did not end well.

    `salt` tells apart what the request does not say: who is asked, in which order, under which settings.
    """

    def __init__(self, llm: LLM, folder: Path, salt: str = "") -> None:
        self.name, self.model = llm.name, llm.model
        self.hits = self.misses = 0
        self._llm, self._folder, self._salt = llm, folder, salt

    async def stream(self, request: Request, limits: Limits) -> AsyncGenerator[Event, None]:
        """The kept answer, else the real one, which is then kept."""
        file = self._file(request)
        if kept := _read(file):
            self.hits += 1
            for event in kept:
                yield event
            return
        self.misses += 1
        heard: list[Event] = []
        async with aclosing(self._llm.stream(request, limits)) as events:
            async for event in events:
                heard.append(event)
                if isinstance(event, Finished):  # before it is passed on: who listens may stop here
                    _write(file, heard)
                yield event

    def forget(self, request: Request) -> None:
        """Drop what was kept: it turned out to be of no use, and is to be asked for again."""
        self._file(request).unlink(missing_ok=True)

    async def close(self) -> None:
        """Release the connections of the one behind it."""
        await self._llm.close()

    def _file(self, request: Request) -> Path:
        asked = {
            "salt": self._salt,
            "model": [self.name, self.model],
            "lines": [asdict(line) for line in request.lines],
            "tools": [asdict(tool) for tool in request.tools],
            "limits": [request.max_tokens, request.temperature],
            "shown": request.shown(),
        }
        key = hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
        return self._folder / key[:2] / f"{key}.json"


def _read(file: Path) -> list[Event]:
    """The events of a kept answer; none where there is none or it cannot be read, and then it is asked for again."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return [_event(row) for row in rows]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _event(row: Mapping[str, Any]) -> Event:
    fields = dict(row["fields"])
    if "attempts" in fields:
        fields["attempts"] = tuple(Attempt(**one) for one in fields["attempts"])
    return _KINDS[row["kind"]](**fields)


def _write(file: Path, events: list[Event]) -> None:
    rows = [{"kind": type(event).__name__, "fields": asdict(event)} for event in events]
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    fresh.replace(file)
