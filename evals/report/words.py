"""The verdict and its reasons in sentences, for somebody who has never seen the project."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.settings import Settings
from evals.compare import describe_gone
from evals.comparison import Change, Comparison, Verdict
from evals.flips import Flip
from evals.marks import TOO_FEW
from evals.score import Scores, shown
from evals.scorers import MEASURES

_QUOTED = re.compile(r"'[^']*'|“[^”]*”|\"[^\"]*\"")
_NAMES = re.compile(
    r"(?<=found ).*$|(?<=, is ).*$|(?<=not borne out: ).*$|(?<=no source: ).*$|"
    r"(?<=from message )\d+ to \d+|(?<=in message )\d+|(?<=at message )\d+"
)
_WRONG_ARTICLE = re.compile(r"^cites .*, not .*$")
_PLAIN = {
    "asked_back where an answer was possible": "asks back where an answer was possible",
    "abstained where an answer was possible": "says that it does not know where an answer was possible",
}
_SAYS = re.compile(r"(asks|says|cites|lacks|answers|abstains|promises) ")
"""How a reason begins of which the bot is the subject."""
_LACKS = re.compile(r"^lacks .*$")
COMMONEST = 5
GONE = "articles gone"
"""How a line begins that says again what the lines about each article say."""
VERDICTS = {
    "right": "are right",
    "declined": "ask back, or say that they do not know, where an answer was possible",
    "incomplete": "lack a fact that decides",
    "wrong": "mislead",
}
_SENTENCES = {
    Verdict.BETTER: ("Better", "The bot got better, and chance does not explain it."),
    Verdict.WORSE: ("Worse", "The bot got worse, and chance does not explain it."),
    Verdict.MIXED: ("Mixed", "The bot got better at some things and worse at others, and chance explains neither."),
    Verdict.SAME: ("No difference shown", "These data show no difference: what changed can be chance."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What stands on top: a word, a sentence, whether it is good, bad or neither, and the reasons, gravest first."""

    word: str
    sentence: str
    tone: str
    reasons: tuple[str, ...]


def headline(scores: Scores, compared: Comparison | None) -> Headline:
    """The verdict on a run, against another where there is one."""
    broken, known = describe_broken(scores, compared)
    if compared is None:
        if broken:
            return Headline(word="Not safe", sentence="Something that must never happen did.", tone="bad", reasons=broken)
        sentence = "There is no other run to compare with; this is how the bot stands."
        return Headline(word="On its own", sentence=sentence, tone="plain", reasons=())
    word, sentence = _SENTENCES[compared.verdict]
    bad = compared.verdict in (Verdict.WORSE, Verdict.MIXED) or bool(broken or known)
    tone = "bad" if bad else "good" if compared.verdict is Verdict.BETTER else "plain"
    reasons = (
        *broken,
        *(f"{one[0].upper()}{one[1:]}." for one in describe_gone(compared)),
        *(f"Played otherwise: {one}." for one in compared.played if not one.startswith(GONE)),
        *map(tell_change, compared.sure),
        *known,
    )
    return Headline(word=word, sentence=sentence, tone=tone, reasons=reasons)


def describe_broken(scores: Scores, compared: Comparison | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What must hold and does not in this run: what is so now, and what was already so before."""
    new, known = [], []
    for name, measure in MEASURES.items():
        failed = [mark for mark in scores.marks if mark.measure == name and mark.value == 0] if measure.must_hold else []
        if not failed:
            continue
        places = ", ".join(f"{mark.conversation} (message {mark.turn})" for mark in failed[:COMMONEST])
        more = f" and {len(failed) - COMMONEST} more" if len(failed) > COMMONEST else ""
        told = f"“{measure.title}” is broken {_times(len(failed))}: {places}{more}."
        if compared and name in compared.changes and name not in compared.broken:
            known.append(f"{told} It was before, too.")
        else:
            new.append(told)
    return tuple(new), tuple(known)


def in_short(flips: Sequence[Flip]) -> str:
    """What the bot does where it got worse, in a sentence; "" where nothing did."""
    worse = [flip for flip in flips if flip.worse]
    if not worse or not (causes := flip_causes(flips)):
        return ""
    told = [f"in {times} it {cause}" if _SAYS.match(cause) else f"{times} times: {cause}" for cause, times in causes[:2]]
    many = "1 message got worse" if len(worse) == 1 else f"{len(worse)} messages got worse in one figure or more"
    return f"{many}: {', '.join(told)}."


def explain_played(line: str) -> str:
    """What a setting that differs means, or ""."""
    field = Settings.model_fields.get(line.partition(" ")[0].lower())
    return (field.description or "") if field else ""


def tell_change(one: Change) -> str:
    """A change that chance does not explain."""
    found = one.difference
    way = "rose" if found.value > 0 else "fell"
    turns = "" if found.worse is None else f": {found.worse} got worse, {found.better} better, of {found.n}"
    figures = f"from {shown(one.measure, found.before)} to {shown(one.measure, found.after)}"
    return f"{'Better' if one.is_gain else 'Worse'}: “{one.measure.title}” {way} {figures}{turns}."


def power(compared: Comparison) -> str:
    """What these data could have shown."""
    right = compared.changes.get("reply_right")
    if right is None or right.difference.n < TOO_FEW:
        return "There are too few labelled replies to show any difference."
    found = right.difference
    return (
        f"With {found.n} labelled replies, a difference of {found.smallest * 100:.1f} points in right replies would have "
        f"shown (with a chance of 80%); to show one of 2 points it would take about {found.needed:,} labelled replies."
    )


def commonest_causes(scores: Scores) -> list[tuple[str, int]]:
    """Why replies are not right, the commonest reasons first."""
    whys = [mark.why for mark in scores.marks if mark.measure == "reply_right" and mark.value == 0]
    return count_causes(whys)


def flip_causes(flips: Sequence[Flip]) -> list[tuple[str, int]]:
    """Why turns got worse, the commonest reasons first."""
    return count_causes([flip.why for flip in flips if flip.worse])


def count_causes(whys: Iterable[str]) -> list[tuple[str, int]]:
    """Reasons counted without the names and words in which they differ."""
    whys = (_LACKS.sub("lacks a fact that decides", why) for why in whys)
    whys = (_WRONG_ARTICLE.sub("cites another article than the right one", why) for why in whys)
    whys = (_PLAIN.get(why, why) for why in whys)
    told = (_NAMES.sub("…", _QUOTED.sub("…", why)).replace("_", " ") for why in whys if why)
    return Counter(told).most_common(COMMONEST)


def _times(number: int) -> str:
    return "once" if number == 1 else "twice" if number == 2 else f"{number} times"
