"""Answer: the right outcome, from a right article, with the facts that decide, and nothing that must not be said."""

import re
from collections.abc import Iterator, Sequence

from bot.domain import Outcome
from evals.marks import Kind, Mark, Measure
from evals.runs import Run
from evals.scorers.turns import Case, cases

_SPACE = re.compile(r"\s+")
MEASURES = (
    Measure(
        name="reply_right",
        title="Replies that are right",
        aspect="answer",
        says="The share of replies with an acceptable outcome; an answer also cites a right article, holds every fact that "
        "decides and nothing that must not be said.",
        headline=True,
    ),
    Measure(
        name="not_misleading",
        title="Replies that do not mislead",
        aspect="answer",
        says="The share of replies that neither answer from a wrong article, nor answer what the articles do not hold, nor "
        "say what must not be said. An honest “I don't know” misleads nobody.",
        headline=True,
    ),
    Measure(
        name="facts_held",
        title="Deciding facts in the answer",
        aspect="answer",
        says="Where an answer was due, the share of replies that hold every fact that decides.",
        headline=True,
    ),
    Measure(
        name="nothing_wrong_said",
        title="Nothing said that must not be",
        aspect="answer",
        says="Where words are labelled that must not be said, the share of replies without them.",
        headline=True,
    ),
    Measure(
        name="citations_right",
        title="Citations that are right",
        aspect="answer",
        says="Of the citations of an answer, the share that name a labelled article, on average (citation precision).",
        kind=Kind.MEAN,
        headline=True,
    ),
    Measure(
        name="right_article_cited",
        title="Answers that cite a right article",
        aspect="answer",
        says="Where an answer was due, the share of replies that cite a labelled article (citation recall).",
        headline=True,
    ),
    Measure(
        name="abstained",
        title="Says so when it does not know",
        aspect="answer",
        says="Of the questions that the articles do not answer, the share that the bot did not answer.",
        headline=True,
    ),
)


def score(run: Run) -> Iterator[Mark]:
    """Marks for turns whose reply is labelled; unscored where a human was brought in instead."""
    for case in cases(run):
        if case.expect.must_not:
            said = _said(case.expect.must_not, case.text)
            reply = case.played.reply
            yield case.mark("nothing_wrong_said", None if reply is None else not said, f"says {said!r}" if said else "")
        if case.expect.outcomes:
            yield from _score(case)


def _score(case: Case) -> Iterator[Mark]:
    if why := _unscored(case):
        yield from (case.mark(name, None, why) for name in _due(case))
        return
    wrong, short = _wrong(case), _short(case)
    yield case.mark("reply_right", not (wrong or short), wrong or short)
    yield case.mark("not_misleading", not wrong, wrong)
    cited = _cited(case)
    if "facts_held" in _due(case):
        missing = _missing(case)
        lacking = f"lacks {missing!r}" if missing else "" if case.answered else "gives no answer"
        yield case.mark("facts_held", case.answered and not missing, lacking)
    if "right_article_cited" in _due(case):
        hit = bool(set(cited) & set(case.expect.cite))
        yield case.mark("right_article_cited", hit, "" if hit else f"cites {', '.join(cited) or 'nothing'}")
    if case.answered and case.expect.cite:
        yield case.mark("citations_right", sum(one in case.expect.cite for one in cited) / len(cited) if cited else 0.0)
    if "abstained" in _due(case):
        yield case.mark("abstained", not case.answered, "answers what the articles do not hold" if case.answered else "")


def _unscored(case: Case) -> str:
    """Why a reply cannot be judged, or "". Labels tell what articles hold: whether a tool may answer they do not say."""
    if case.by_tool and case.answered and (case.expect.cite or Outcome.ANSWERED not in case.expect.outcomes):
        return "" if _said(case.expect.must_not, case.text) else "a tool answered, and the labels are about articles"
    if case.outcome:
        return ""
    return "a human was brought in" if case.played.handed_over else case.played.failure or "no outcome was recorded"


def _due(case: Case) -> list[str]:
    """The measures that this turn's labels are about."""
    outcomes = case.expect.outcomes
    answer = outcomes == (Outcome.ANSWERED,) or case.answered
    names = ["reply_right", "not_misleading"]
    names += ["facts_held"] if case.expect.must and answer else []
    names += ["right_article_cited"] if case.expect.cite and answer else []
    return names + (["abstained"] if Outcome.ANSWERED not in outcomes and Outcome.ABSTAINED in outcomes else [])


def _wrong(case: Case) -> str:
    """Why a reply misleads, or ""."""
    if said := _said(case.expect.must_not, case.text):
        return f"says {said!r}"
    if not case.answered:
        return ""
    if Outcome.ANSWERED not in case.expect.outcomes:
        return "answers what the articles do not hold"
    cited = _cited(case)
    wrong = bool(case.expect.cite) and not set(cited) & set(case.expect.cite)
    return f"cites {', '.join(cited) or 'nothing'}, not {' or '.join(case.expect.cite)}" if wrong else ""


def _short(case: Case) -> str:
    """Why a reply that does not mislead is not right, or ""."""
    if not case.answered:
        return "" if case.outcome in case.expect.outcomes else f"{case.outcome} where an answer was possible"
    missing = _missing(case)
    return f"lacks {missing!r}" if missing else ""


def _cited(case: Case) -> list[str]:
    return list(dict.fromkeys(str(one["document"]) for one in case.played.data.get("citations", ())))


def _missing(case: Case) -> str:
    text = fold(case.text)
    return next((fact[0] for fact in case.expect.must if not any(fold(spelling) in text for spelling in fact)), "")


def _said(words: Sequence[str], text: str) -> str:
    folded = fold(text)
    return next((one for one in words if fold(one) in folded), "")


def fold(text: str) -> str:
    """Case, white space and emphasis do not count."""
    return _SPACE.sub(" ", text.replace("**", "").replace("’", "'")).casefold()
