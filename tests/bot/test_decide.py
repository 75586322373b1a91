"""The escalation rules: each fires alone with its evidence, and the written priority decides between them."""

from dataclasses import replace

import pytest

from bot.crisis import Crisis, Danger
from bot.decide import RULES, Limits, Signals, decide, read_limits
from bot.domain import Reason
from bot.patterns import Match
from bot.sentiment import Trend
from bot.settings import Settings
from bot.topics import Topic

WORDS = Match(rule="r", words="some words")
LIMITS = Limits()


def topic(name: str, act: str, reason: str = "sensitive") -> Topic:
    return Topic(name=name, act=act, reason=reason, flag="", note="mind this", words="some words")


NEEDY = replace(topic("vulnerable", "offer"), flag="vulnerable")
ALONE = [
    (
        Signals(crisis=Crisis(danger=Danger.SELF_HARM, rule="self_harm", words="some words")),
        "crisis_self_harm",
        Reason.CRISIS,
        False,
    ),
    (Signals(asked=WORDS), "asked", Reason.ASKED, False),
    (Signals(consent=True, turns_since_offer=1), "accepted", Reason.ASKED, False),
    (Signals(abuse=WORDS, abuse_before=1), "abused_again", Reason.ABUSE, False),
    (Signals(topics=(topic("fraud", "hand_over"),)), "fraud", Reason.SENSITIVE, False),
    (Signals(topics=(topic("legal", "hand_over", "legal"),)), "legal", Reason.LEGAL, False),
    (Signals(topics=(topic("press", "hand_over", "press"),)), "press", Reason.PRESS, False),
    (Signals(flags=frozenset({"vip"}), frustration=0.6), "priority_frustrated", Reason.PRIORITY, False),
    (Signals(flags=frozenset({"vulnerable"}), answerability=0.2), "priority_unanswered", Reason.PRIORITY, False),
    (Signals(flags=frozenset({"vip"}), insists=True, unhelped=1), "priority_unhelped", Reason.PRIORITY, False),
    (Signals(unhelped=1, insists=True, in_vain=True), "repeated_failure", Reason.REPEATED, True),
    (Signals(unhelped=1, insists=True, in_vain=True, turns_since_offer=1), "repeated_failure", Reason.REPEATED, True),
    (Signals(unhelped=2, insists=True), "repeated_failure", Reason.REPEATED, False),
    (Signals(language="de", turns_since_offer=1), "still_foreign", Reason.LANGUAGE, False),
    (Signals(frustration=0.9, turns_since_offer=1), "still_frustrated", Reason.FRUSTRATED, False),
    (Signals(failure="tickets"), "failure", Reason.FAILURE, True),
    (Signals(frustration=0.9), "frustrated", Reason.FRUSTRATED, True),
    (Signals(frustration=0.5, trend=Trend.DECLINING), "declining", Reason.DECLINING, True),
    (Signals(answerability=0.3), "unanswerable", Reason.UNANSWERED, True),
    (Signals(supported=False), "unsupported", Reason.UNANSWERED, True),
    (Signals(topics=(topic("complaint", "offer"),)), "complaint", Reason.SENSITIVE, True),
    (Signals(turns=12), "too_long", Reason.TOO_LONG, True),
    (Signals(language="de"), "foreign_language", Reason.LANGUAGE, True),
]


@pytest.mark.parametrize(("signals", "rule", "reason", "offer"), ALONE, ids=[case[1] for case in ALONE])
def test_each_rule_fires_alone_with_its_reason(signals, rule, reason, offer):
    found = decide(signals, LIMITS)
    assert found is not None
    assert (found.rule, found.reason, found.offer) == (rule, reason, offer)


@pytest.mark.parametrize(
    "signals",
    [
        Signals(),
        Signals(frustration=0.65),
        Signals(abuse=WORDS),
        Signals(unhelped=1, insists=True),
        Signals(in_vain=True),
        Signals(flags=frozenset({"vulnerable"}), topics=(NEEDY,), answerability=0.2, turns_since_offer=1),
        Signals(answerability=0.76),
        Signals(turns=11),
        Signals(language="und"),
        Signals(consent=False),
        Signals(frustration=0.4, trend=Trend.DECLINING),
        Signals(supported=True),
        Signals(frustration=0.2, trend=Trend.IMPROVING),
        Signals(flags=frozenset({"vip"})),
    ],
)
def test_below_every_threshold_the_bot_answers(signals):
    assert decide(signals, LIMITS) is None


def test_the_earlier_rule_wins():
    everything = Signals(
        crisis=Crisis(danger=Danger.THREAT, rule="threat", words="w"),
        asked=WORDS,
        consent=True,
        abuse=WORDS,
        abuse_before=1,
        topics=(topic("fraud", "hand_over"),),
        flags=frozenset({"vip"}),
        frustration=0.99,
        unhelped=5,
        failure="x",
    )
    order = []
    for change in (
        {"crisis": None},
        {"asked": None},
        {"consent": None},
        {"abuse": None},
        {"topics": ()},
        {"flags": frozenset()},
        {},
    ):
        found = decide(everything, LIMITS)
        order.append(found.rule)
        everything = replace(everything, **change)
    assert order == [
        "crisis_threat",
        "asked",
        "accepted",
        "abused_again",
        "fraud",
        "priority_frustrated",
        "repeated_failure",
    ]


def test_an_offer_is_not_repeated_for_a_few_turns():
    unanswerable = Signals(answerability=0.1)
    assert decide(replace(unanswerable, turns_since_offer=1), LIMITS) is None
    assert decide(replace(unanswerable, turns_since_offer=3), LIMITS).offer


def test_a_refused_offer_is_not_answered_with_a_hand_over():
    assert decide(Signals(frustration=0.9, turns_since_offer=1, consent=False), LIMITS) is None


def test_a_number_is_the_evidence_beside_its_threshold():
    found = decide(Signals(frustration=0.9), LIMITS)
    assert (found.evidence.value, found.evidence.threshold) == (0.9, LIMITS.frustration_above)


def test_the_note_is_for_the_agent():
    assert decide(Signals(topics=(topic("fraud", "hand_over"),)), LIMITS).note == "mind this"


def test_the_thresholds_are_the_settings():
    assert read_limits(Settings(_env_file=None)) == LIMITS
    assert read_limits(Settings(_env_file=None, frustration_above=0.9)).frustration_above == 0.9


def test_every_rule_has_a_sentence_and_a_place_in_the_order():
    assert len(set(RULES)) == len(RULES)
    assert all(rule.__doc__ for rule in RULES)
