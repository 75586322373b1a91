"""What the page of a turn shows of its entry's data: read leniently, because the log also holds turns of older versions."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.domain import Entry, Turn, WritingRecord
from bot.llm.stream import Attempt
from bot.personal import mask
from bot.trace import turn_data
from knowledge.document import DocumentId, Search

_SHOWN = {"question", "knowledge", "answerability", "passages", "dropped", "writing", "steps"}
"""Of what a turn keeps, the parts that have a place of their own; whatever else there is stands at the end."""
_RECORD = asdict(WritingRecord())
_USAGE = {
    "provider": "",
    "model": "",
    "prompt_tokens": None,
    "completion_tokens": None,
    "estimated": False,
    "cost": None,
    "first_token_ms": None,
    "took_ms": None,
}
_ATTEMPT = asdict(Attempt(provider="", model="", error=""))
_CITATION = {"number": 0, "title": "", "heading": "", "passage": "", "support": None}
"""What a record of an older version may lack."""
_PLACES = 1000
"""Parts of the waterfall's width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A step in the waterfall: where it begins and how wide it is, in thousandths, and what it decided."""

    name: str
    began: int
    width: int
    took_ms: float
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPassage:
    """A passage of the search, with its text where the article still has it."""

    id: str
    score: float
    title: str = ""
    heading: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnView:
    """A turn, or the replay of one, as the page shows it; personal data is masked already.

    `writing` is a WritingRecord as a mapping, with nobody in `usage` and `attempts` when no model was asked.
    """

    text: str
    outcome: str
    question: str
    answerability: float | None
    knowledge: str
    took_ms: float
    bars: tuple[Bar, ...]
    passages: tuple[SeenPassage, ...]
    citations: tuple[Mapping[str, Any], ...]
    writing: Mapping[str, Any]
    dropped: tuple[str, ...]
    rest: str

    @property
    def providers(self) -> str:
        """Who wrote the reply."""
        return ", ".join(dict.fromkeys(str(one.get("provider", "")) for one in self.writing.get("usage", ())))


class TurnViews:
    """Makes views of turns; hides personal data unless told not to."""

    def __init__(self, search: Search, *, masked: bool) -> None:
        self._search = search
        self.hide: Callable[[str], str] = _mask if masked else _keep

    async def of_entry(self, entry: Entry) -> TurnView:
        """The turn behind a reply or notice."""
        return await self._view(entry.text, entry.data)

    async def of_turn(self, turn: Turn) -> TurnView:
        """A turn that the log does not hold."""
        return await self._view(turn.reply.text, turn_data(turn))

    async def _view(self, text: str, data: Mapping[str, Any]) -> TurnView:
        turn = data.get("turn") or {}
        rest = {name: value for name, value in turn.items() if name not in _SHOWN and value}
        return TurnView(
            text=self.hide(text),
            outcome=str(data.get("outcome", "")),
            question=self.hide(str(turn.get("question", ""))),
            answerability=turn.get("answerability"),
            knowledge=str(turn.get("knowledge") or ""),
            took_ms=duration_ms(data),
            bars=tuple(replace(bar, note=self.hide(bar.note)) for bar in _bars(turn.get("steps", ()))),
            passages=await self._passages(turn.get("passages", ())),
            citations=tuple({**_CITATION, **one} for one in data.get("citations", ())),
            writing=self._writing(turn.get("writing") or {}),
            dropped=tuple(map(self.hide, turn.get("dropped", ()))),
            rest=self.hide(json.dumps(rest, ensure_ascii=False, indent=2, default=str)) if rest else "",
        )

    def _writing(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """The whole record, with personal data hidden wherever a customer's words may stand."""
        whole = {**_RECORD, **record}
        attempts = [{**_ATTEMPT, **one} for one in whole["attempts"]]
        return {
            **whole,
            "usage": [{**_USAGE, **one} for one in whole["usage"]],
            "attempts": [{**one, "detail": self.hide(one["detail"])} for one in attempts],
            "findings": tuple(map(self.hide, whole["findings"])),
            "prompt": self.hide(whole["prompt"]),
        }

    async def _passages(self, scores: Sequence[Sequence[Any]]) -> tuple[SeenPassage, ...]:
        known: dict[str, SeenPassage] = {}
        for document in dict.fromkeys(str(passage).rpartition("#")[0] for passage, _ in scores):
            article = await self._search.article(DocumentId(document))
            for passage in article.passages if article else ():
                known[passage.id] = SeenPassage(
                    id=passage.id, score=0.0, title=passage.title, heading=passage.heading, text=passage.text
                )
        return tuple(_scored(known.get(passage), str(passage), float(score)) for passage, score in scores)


def duration_ms(data: Mapping[str, Any]) -> float:
    """How long the turn took, by its steps; 0 where there are none."""
    steps = (data.get("turn") or {}).get("steps", ())
    return max((float(began) + float(took) for _, began, took, _ in steps), default=0.0)


def _bars(steps: Sequence[Sequence[Any]]) -> tuple[Bar, ...]:
    whole = max((float(began) + float(took) for _, began, took, _ in steps), default=0.0) or 1.0
    return tuple(
        Bar(
            name=str(name),
            began=round(_PLACES * began / whole),
            width=max(4, round(_PLACES * took / whole)),
            took_ms=took,
            note=str(note),
        )
        for name, began, took, note in steps
    )


def _scored(known: SeenPassage | None, passage: str, score: float) -> SeenPassage:
    return replace(known, score=score) if known else SeenPassage(id=passage, score=score)


def _mask(text: str) -> str:
    return mask(text).text


def _keep(text: str) -> str:
    return text
