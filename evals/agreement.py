"""`python -m evals agreement`: how far two people who labelled the same transcripts agree."""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.formats import FileInvalid
from evals.kappa import Pair, kappa
from evals.metrics import Figure, share
from evals.ranking import plain
from evals.transcripts import CustomerTurn, Transcript, read_texts, texts_of

SUMMARY = "how far two labellings of the same transcripts agree (Cohen's kappa)"
DESCRIPTION = """\
Compare two labellings of the same transcripts, message by message. Conversations are matched by their texts, so the file
of the second labeller may come from `blank` and hold only some of them. Compared is what each named first: intent, and
whether to escalate. Kappa is agreement beyond chance (1: always, 0: no more than chance), its interval a bootstrap over
conversations; `accepted` is the share of messages where each one's label is among those the other finds acceptable.
A message that one of them left open is counted and not compared.
"""
ASPECTS = ("intent", "escalate")
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What both said of one message, all that each finds acceptable, best first."""

    transcript: str
    conversation: int
    turn: int
    text: str
    first: tuple[str, ...]
    second: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """Whether each one's best is acceptable to the other."""
        return self.first[0] in self.second and self.second[0] in self.first


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far the labels of one aspect agree; `left_open` messages were labelled by one only, or by nobody."""

    kappa: Figure | None
    same: Figure | None
    accepted: Figure | None
    left_open: int
    differing: tuple[Labels, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--first", type=Path, required=True, help="labelled conversations: .jsonl")
    parser.add_argument("--second", type=Path, required=True, help="the same conversations, labelled by somebody else")
    parser.add_argument("--out", type=Path, help="the report, as JSON, with every message on which they differ")


def run(arguments: argparse.Namespace) -> str:
    """Compare, write the report if asked, and give the table. Raises FileInvalid."""
    pairs = match(arguments.first, arguments.second)
    found = {aspect: compare(pairs, aspect) for aspect in ASPECTS}
    if arguments.out:
        report = {"conversations": len(pairs), **{aspect: _as_json(one) for aspect, one in found.items()}}
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return "\n".join([f"{len(pairs)} conversations", *(line for name in ASPECTS for line in _table(name, found[name]))])


def match(first: Path, second: Path) -> list[tuple[Transcript, Transcript]]:
    """The conversations that both files hold.

    Raises FileInvalid when a file cannot be used, when the two have none in common, or one id stands for two texts.
    """
    ours, theirs = read_texts(first), {texts_of(one): one for one in read_texts(second)}
    ids = {one.id: one for one in theirs.values()}
    for one in ours:
        if one.id in ids and texts_of(ids[one.id]) != texts_of(one):
            raise FileInvalid(f"{second}: the texts of '{one.id}' are not those of {first}; label the texts as they are")
    pairs = [(one, theirs[texts_of(one)]) for one in ours if texts_of(one) in theirs]
    if not pairs:
        raise FileInvalid(f"{second}: holds no conversation of {first}")
    return pairs


def compare(pairs: Sequence[tuple[Transcript, Transcript]], aspect: str) -> Agreement:
    """How far both agree on `intent` or `escalate`."""
    both = list(_labels(pairs, aspect))
    turns = sum(len(first.turns) for first, _ in pairs)
    return Agreement(
        kappa=kappa([Pair(conversation=one.conversation, first=one.first[0], second=one.second[0]) for one in both]),
        same=share([one.first[0] == one.second[0] for one in both]),
        accepted=share([one.accepted for one in both]),
        left_open=turns - len(both),
        differing=tuple(one for one in both if one.first[0] != one.second[0]),
    )


def _labels(pairs: Sequence[tuple[Transcript, Transcript]], aspect: str) -> Iterator[Labels]:
    for place, (mine, theirs) in enumerate(pairs):
        for number, (one, other) in enumerate(zip(mine.turns, theirs.turns, strict=True), start=1):
            first, second = _said(one, aspect), _said(other, aspect)
            if first and second:
                yield Labels(
                    transcript=mine.id, conversation=place, turn=number, text=one.customer, first=first, second=second
                )


def _said(turn: CustomerTurn, aspect: str) -> tuple[str, ...]:
    return tuple(map(str, turn.expect.intent if aspect == "intent" else turn.expect.escalate))


def _as_json(found: Agreement) -> dict[str, object]:
    return {
        **plain({"kappa": found.kappa, "same": found.same, "accepted": found.accepted}),
        "left_open": found.left_open,
        "differing": [
            {"id": one.transcript, "turn": one.turn, "text": one.text, "first": one.first, "second": one.second}
            for one in found.differing
        ],
    }


def _table(aspect: str, found: Agreement) -> Iterator[str]:
    yield f"{aspect:<9} kappa    {_figure(found.kappa)}"
    yield f"          same     {_figure(found.same)}"
    yield f"          accepted {_figure(found.accepted)}"
    if found.left_open:
        yield f"          {found.left_open} messages were not labelled by both"
    often = Counter((one.first[0], one.second[0]) for one in found.differing).most_common(_SHOWN)
    yield from (f"          {count:>4} x {first} / {second}" for (first, second), count in often)


def _figure(figure: Figure | None) -> str:
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}] (n = {figure.n})" if figure else "cannot be told"
