"""Intent: whether what the customer wants is read right, what is off topic told apart, and the confidence true."""

import math
from collections.abc import Iterator

import numpy as np

from bot.intents import read_intents
from evals.marks import Better, Column, Kind, Mark, Measure
from evals.runs import Run
from evals.scorers.turns import Case, cases
from evals.transcripts import INTENTS

BINS = 10


def macro_f1(said: Column, truth: Column) -> float:
    """The mean F1 of the intents that are labelled; scikit-learn's is 50 times as slow, too slow to resample."""
    _, places = np.unique(np.concatenate([truth, said]).astype(str), return_inverse=True)
    labels, guesses = places[: len(truth)], places[len(truth) :]
    size = int(places.max()) + 1
    there, given = np.bincount(labels, minlength=size), np.bincount(guesses, minlength=size)
    hits = np.bincount(labels[labels == guesses], minlength=size)
    return float((2 * hits[there > 0] / (there + given)[there > 0]).mean())


def precision(said: Column, truth: Column) -> float:
    """The share of what was said that is so."""
    mine = said.astype(bool)
    return float(truth[mine].astype(bool).mean()) if mine.any() else math.nan


def calibration_error(sure: Column, right: Column) -> float:
    """Expected calibration error over equally wide bins (Guo et al., 2017)."""
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [(abs(right[bins == one].mean() - sure[bins == one].mean()), (bins == one).mean()) for one in np.unique(bins)]
    return float(sum(gap * weight for gap, weight in gaps))


MEASURES = (
    Measure(
        name="intent_right",
        title="Intent read right",
        aspect="intent",
        says="Of the messages with a labelled intent, the share that the bot read as one of the acceptable ones.",
        headline=True,
    ),
    Measure(
        name="intent_f1",
        title="Intent, mean F1 of the classes",
        aspect="intent",
        says="Precision and recall of each intent in one number, every intent counting the same however rare it is.",
        kind=Kind.POOLED,
        unit="score",
        statistic=macro_f1,
    ),
    Measure(
        name="off_topic_found",
        title="Off-topic messages noticed",
        aspect="intent",
        says="Of the messages that are none of the company's business, the share that the bot took for such (recall).",
    ),
    Measure(
        name="off_topic_right",
        title="Off-topic verdicts that are right",
        aspect="intent",
        says="Of the messages that the bot took for none of the company's business, the share that are (precision).",
        kind=Kind.POOLED,
        statistic=precision,
        of=lambda said, _: int(said.astype(bool).sum()),
    ),
    Measure(
        name="intent_ece",
        title="Intent confidence off by",
        aspect="intent",
        says="How far the stated confidence is from how often it is right, on average (expected calibration error).",
        kind=Kind.POOLED,
        better=Better.LOWER,
        statistic=calibration_error,
    ),
)


def score(run: Run) -> Iterator[Mark]:
    """A mark for every turn with a labelled intent; unscored where the bot did not read one."""
    declined = read_intents(INTENTS).out_of_scope
    off_topic = declined.name if declined else ""
    for case in cases(run):
        if case.expect.intent:
            yield from _score(case, off_topic)


def _score(case: Case, off_topic: str) -> Iterator[Mark]:
    reading, wanted = case.played.reading, case.expect.intent
    said = reading.get("intent")
    foreign = wanted[0] == off_topic
    if said is None:
        names = ["intent_right", "intent_f1", "intent_ece", "off_topic_right", *(["off_topic_found"] if foreign else [])]
        yield from (case.mark(name, None, case.played.failure or "the bot read no intent") for name in names)
        return
    right = said in wanted
    out = said == off_topic or reading.get("in_scope") is False
    yield case.mark("intent_right", right, "" if right else f"read as {said}, is {' or '.join(wanted)}")
    yield case.mark("intent_f1", said, truth=said if right else wanted[0])
    yield case.mark("intent_ece", float(reading.get("confidence", 0.0)), truth=float(right))
    yield case.mark("off_topic_right", out, truth=float(off_topic in wanted))
    if foreign:
        yield case.mark("off_topic_found", out, "" if out else f"read as {said}")
