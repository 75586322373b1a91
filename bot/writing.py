"""A reply being written: takes it piece by piece, shows what is borne out, and keeps what was shown honest."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.domain import Outcome, Reply, cite
from bot.links import link_articles
from bot.phrases import CORRECTED
from bot.pieces import Piece
from bot.promises import Allowed, check_words
from bot.support import SUPPORTED, contradicts, makes_claim, repeats, support
from knowledge.document import Passage

Show = Callable[[str], None]
"""Given the whole text shown so far each time it changes; the views render it until the reply is in the log."""

_MARK = re.compile(r"\s*\[(\d+)\]")
_PROMISE = re.compile(
    r"\b(?:i|we)(?:['’]ll| will| can)\b.*?\b(refund|credit|waive|cancel|compensat|arrange|book|call|send)", re.IGNORECASE
)
"""What a company is bound by; a passage must say the very word, overlap in other words is not enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A piece that may be shown: its text without marks, the passages it rests on (from 1) and how far they bear it."""

    text: str
    end: str
    cites: tuple[int, ...]
    support: float


class Writing:
    """What the customer has read of a reply. `take` checks each piece before it is shown."""

    def __init__(
        self, passages: Sequence[Passage], show: Show, customer_said: Sequence[str] = (), country: str = "GB"
    ) -> None:
        self._passages = tuple(passages)
        self._sources = [f"{p.title}\n{p.heading}\n{p.text}" for p in passages]
        self._allowed = Allowed(sources=self._sources, customer_said=customer_said)
        self._country = country
        self._show = show
        self._shown: list[Checked] = []
        self._restarted: tuple[str, ...] = ()
        self.withdrawn = False
        self.dropped: list[str] = []

    @property
    def text(self) -> str:
        """What the customer has read so far."""
        return "".join(f"{piece.text}{piece.end}" for piece in self._shown).strip()

    @property
    def claimed(self) -> bool:
        """Whether anything shown rests on a passage, or on what a tool told."""
        return any(piece.cites for piece in self._shown)

    def tell(self, words: str) -> None:
        """What a tool told: sentences may rest on it as on a passage, but there is nothing to link to."""
        self._sources.append(words)

    def restart(self) -> None:
        """Somebody else goes on: what repeats the pieces shown is left out, what contradicts them withdraws them."""
        self._restarted = tuple(piece.text for piece in self._shown)

    def take(self, piece: Piece) -> str | None:
        """Check a piece and show it if it holds; else the sentence that does not, and nothing is shown."""
        checked = self._check(piece)
        if checked is None:
            self.dropped.append(piece.text)
            return _MARK.sub("", piece.text).strip()
        if self._restarted and checked.text:
            if contradicts(checked.text, self._restarted):
                self.withdrawn, self._restarted = True, ()
                self._shown.clear()
            elif repeats(checked.text, self._restarted):
                return None
        self._shown.append(checked)
        self._show(self.text)
        return None

    def reply(self) -> Reply:
        """The reply as it goes into the log: numbered marks, each a citation."""
        supports: dict[int, float] = {}
        for piece in self._shown:
            linked = [n for n in piece.cites if n <= len(self._passages)]
            supports |= {n: min(piece.support, supports.get(n, 1.0)) for n in linked}
        numbers = {old: new for new, old in enumerate(supports, start=1)}
        text = link_articles(_marked(self._shown, numbers))
        return Reply(
            outcome=Outcome.ANSWERED,
            text=f"{CORRECTED}\n\n{text}" if self.withdrawn else text,
            citations=tuple(cite(numbers[n], self._passages[n - 1], value) for n, value in supports.items()),
            dropped=tuple(self.dropped),
        )

    def _check(self, piece: Piece) -> Checked | None:
        named = tuple(dict.fromkeys(int(n) for n in _MARK.findall(piece.text) if 1 <= int(n) <= len(self._passages)))
        text = _MARK.sub("", piece.text)
        if check_words(text, self._allowed, self._country):
            return None
        if not makes_claim(text):
            return Checked(text=text, end=piece.end, cites=(), support=1.0)
        cites, value = named, support(text, self._cited(named)) if named else 0.0
        if value < SUPPORTED:
            cites, value = self._nearest(text)
        if value < SUPPORTED or not _promise_held(text, self._cited(cites)):
            return None
        return Checked(text=text, end=piece.end, cites=cites, support=value)

    def _nearest(self, text: str) -> tuple[tuple[int, ...], float]:
        """The passage that bears the text best, and how far; asked only where the model's own mark does not hold."""
        scores = [support(text, [source]) for source in self._sources]
        best = max(range(len(scores)), key=scores.__getitem__, default=None)
        return ((), 0.0) if best is None else ((best + 1,), scores[best])

    def _cited(self, numbers: Sequence[int]) -> list[str]:
        return [self._sources[number - 1] for number in numbers]


def _promise_held(text: str, sources: Sequence[str]) -> bool:
    promised = _PROMISE.search(text)
    return promised is None or any(promised[1].casefold() in source.casefold() for source in sources)


def _marked(pieces: Sequence[Checked], numbers: dict[int, int]) -> str:
    """The pieces joined, with marks where the source changes or the paragraph ends; a table takes them below."""
    parts: list[str] = []
    for place, piece in enumerate(pieces):
        following = pieces[place + 1] if place + 1 < len(pieces) else None
        same = following and following.cites == piece.cites and "\n" not in piece.end and following.text
        marks = "" if same else "".join(f"[{numbers[n]}]" for n in piece.cites if n in numbers)
        table = piece.text.lstrip().startswith("|")
        if table and following and following.text.lstrip().startswith("|"):
            marks = ""
        gap = "\n\n" if table else " "
        parts.append(f"{piece.text}{gap}{marks}{piece.end}" if marks else f"{piece.text}{piece.end}")
    return "".join(parts).strip()
