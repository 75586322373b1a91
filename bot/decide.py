"""Decide: does a human take over, is one offered, or does the bot answer? Small pure rules, first match wins.

The order, and why: danger first; then what the customer decided themselves; then what the company's policy decides;
then what went wrong; then what the bot merely suspects. A rule with `offer` asks before it hands over, and stays silent
for a few turns after an offer that was not taken.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields

from bot.crisis import Crisis
from bot.domain import Escalation, Evidence, Reading, Reason
from bot.patterns import Match
from bot.sentiment import Trend
from bot.settings import Settings
from bot.topics import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The thresholds; their origin stands beside each setting."""

    frustration_above: float = 0.65
    declining_above: float = 0.45
    priority_above: float = 0.5
    answerable_above: float = 0.75
    unhelped_turns: int = 2
    long_conversation_turns: int = 12
    offer_again_after: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """All that the rules look at. What is not known yet is None or empty: decide again when it is known."""

    crisis: Crisis | None = None
    asked: Match | None = None
    consent: bool | None = None
    """The customer's answer to an offer in the bot's last message."""
    abuse: Match | None = None
    abuse_before: int = 0
    """Messages of this conversation that were abuse before this one."""
    topics: tuple[Topic, ...] = ()
    frustration: float | None = None
    trend: str = Trend.STABLE
    language: str = "en"
    insists: bool = False
    """The customer says that the last reply did not help, or asks the same again."""
    unhelped: int = 0
    """How often they did, this time included; 0 when this time they do not."""
    in_vain: bool = False
    """The last reply, or this one, is no answer."""
    answerability: float | None = None
    supported: bool | None = None
    """Did the answer hold when it was checked against its passages?"""
    turns: int = 0
    """Turns since the conversation began or something last helped."""
    failure: str = ""
    """The tool or provider that failed so that the customer's need cannot be met."""
    flags: frozenset[str] = field(default_factory=frozenset)
    """`vip`, `vulnerable`: from the customer's profile, or from a topic."""
    turns_since_offer: int | None = None
    """Turns since a human was last offered; None when never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A message as it was read: the reading for everyone, the signals for the rules."""

    reading: Reading
    signals: Signals


def read_limits(settings: Settings) -> Limits:
    """The thresholds as the settings have them."""
    return Limits(**{one.name: getattr(settings, one.name) for one in fields(Limits)})


ENGLISH = ("en", "und")
"""Languages that the bot reads; `und` is too little to tell."""
Rule = Callable[[Signals, Limits], Escalation | None]


def decide(signals: Signals, limits: Limits) -> Escalation | None:
    """The first rule that fires, or None: the bot answers."""
    asked_lately = signals.turns_since_offer is not None and signals.turns_since_offer < limits.offer_again_after
    for rule in RULES:
        found = rule(signals, limits)
        again = found is not None and found.reason is Reason.REPEATED and signals.consent is None
        if found and not (found.offer and asked_lately and not again):
            return found
    return None


def explain(escalation: Escalation | None) -> str:
    """The decision in a few words, for the trace."""
    if escalation is None:
        return "the bot answers"
    evidence = escalation.evidence
    number = "" if evidence.value is None else f" {evidence.value:g}"
    limit = "" if evidence.threshold is None else f" against {evidence.threshold:g}"
    return f"{'offer' if escalation.offer else 'hand over'}: {escalation.rule}{number}{limit}"


def crisis(signals: Signals, _: Limits) -> Escalation | None:
    """Somebody may be in danger."""
    if (found := signals.crisis) is None:
        return None
    return Escalation(
        reason=Reason.CRISIS,
        rule=f"crisis_{found.danger}",
        evidence=Evidence(words=found.words, value=found.score),
        note="Somebody may be in danger. Answer at once; the customer has read the emergency lines.",
    )


def asked(signals: Signals, _: Limits) -> Escalation | None:
    """The customer asks for a human."""
    if signals.asked is None:
        return None
    return Escalation(reason=Reason.ASKED, rule="asked", evidence=Evidence(words=signals.asked.words))


def accepted(signals: Signals, _: Limits) -> Escalation | None:
    """The customer says yes to the offer of a human."""
    return Escalation(reason=Reason.ASKED, rule="accepted", evidence=Evidence(words="yes")) if signals.consent else None


def abused_again(signals: Signals, _: Limits) -> Escalation | None:
    """Abuse after a warning."""
    if signals.abuse is None or not signals.abuse_before:
        return None
    evidence = Evidence(words=signals.abuse.words, value=signals.abuse_before + 1, threshold=2)
    return Escalation(reason=Reason.ABUSE, rule="abused_again", evidence=evidence, note="The customer was warned once.")


def sensitive(signals: Signals, _: Limits) -> Escalation | None:
    """A topic that the policy table leaves to people."""
    return next((_topic(topic, offer=False) for topic in signals.topics if topic.act == "hand_over"), None)


def priority_customer(signals: Signals, limits: Limits) -> Escalation | None:
    """A VIP or vulnerable customer for whom something goes wrong: sooner than for others, and without asking first."""
    if not signals.flags & {"vip", "vulnerable"}:
        return None
    flag = min(signals.flags & {"vip", "vulnerable"})
    is_known = bool(signals.flags & {"vip", "vulnerable"} - {topic.flag for topic in signals.topics})
    note = f"The customer is marked {flag}."
    if signals.frustration is not None and signals.frustration > limits.priority_above:
        evidence = Evidence(words=flag, value=signals.frustration, threshold=limits.priority_above)
        return Escalation(reason=Reason.PRIORITY, rule="priority_frustrated", evidence=evidence, note=note)
    if signals.insists:
        return Escalation(reason=Reason.PRIORITY, rule="priority_unhelped", evidence=Evidence(words=flag), note=note)
    if is_known and signals.answerability is not None and signals.answerability <= limits.answerable_above:
        evidence = Evidence(words=flag, value=signals.answerability, threshold=limits.answerable_above)
        return Escalation(reason=Reason.PRIORITY, rule="priority_unanswered", evidence=evidence, note=note)
    return None


def failure(signals: Signals, _: Limits) -> Escalation | None:
    """A tool or provider failed, and the need cannot be met without it."""
    if not signals.failure:
        return None
    return Escalation(reason=Reason.FAILURE, rule="failure", evidence=Evidence(words=signals.failure), offer=True)


def repeated_failure(signals: Signals, limits: Limits) -> Escalation | None:
    """The customer says again that a reply did not help: handed over; for the first time, of what was no answer: offered."""
    is_sure = signals.unhelped >= limits.unhelped_turns
    if not (is_sure or (signals.insists and signals.in_vain)):
        return None
    evidence = Evidence(value=signals.unhelped, threshold=limits.unhelped_turns)
    return Escalation(reason=Reason.REPEATED, rule="repeated_failure", evidence=evidence, offer=not is_sure)


def still_frustrated(signals: Signals, limits: Limits) -> Escalation | None:
    """High frustration that goes on after a human was offered, unless the customer has just said no."""
    if signals.turns_since_offer is None or signals.consent is False:
        return None
    return _frustration(signals, limits, rule="still_frustrated", offer=False)


def frustrated(signals: Signals, limits: Limits) -> Escalation | None:
    """High frustration."""
    return _frustration(signals, limits, rule="frustrated", offer=True)


def declining(signals: Signals, limits: Limits) -> Escalation | None:
    """Frustration that rises from message to message."""
    value = signals.frustration
    if signals.trend is not Trend.DECLINING or value is None or value <= limits.declining_above:
        return None
    evidence = Evidence(value=value, threshold=limits.declining_above)
    return Escalation(reason=Reason.DECLINING, rule="declining", evidence=evidence, offer=True)


def unanswered(signals: Signals, limits: Limits) -> Escalation | None:
    """The articles do not hold the answer, or the answer did not hold."""
    if signals.supported is False:
        return Escalation(reason=Reason.UNANSWERED, rule="unsupported", evidence=Evidence(), offer=True)
    if signals.answerability is None or signals.answerability > limits.answerable_above:
        return None
    evidence = Evidence(value=signals.answerability, threshold=limits.answerable_above)
    return Escalation(reason=Reason.UNANSWERED, rule="unanswerable", evidence=evidence, offer=True)


def too_long(signals: Signals, limits: Limits) -> Escalation | None:
    """Many turns without a solution."""
    if signals.turns < limits.long_conversation_turns:
        return None
    evidence = Evidence(value=signals.turns, threshold=limits.long_conversation_turns)
    return Escalation(reason=Reason.TOO_LONG, rule="too_long", evidence=evidence, offer=True)


def sensitive_offer(signals: Signals, _: Limits) -> Escalation | None:
    """A topic for which the policy table offers a human beside the answer."""
    return next((_topic(topic, offer=True) for topic in signals.topics if topic.act == "offer"), None)


def foreign_language(signals: Signals, _: Limits) -> Escalation | None:
    """A language that the bot does not read."""
    if signals.language in ENGLISH:
        return None
    return Escalation(reason=Reason.LANGUAGE, rule="foreign_language", evidence=Evidence(words=signals.language), offer=True)


def still_foreign(signals: Signals, _: Limits) -> Escalation | None:
    """The customer goes on in that language: the offer was not understood."""
    if signals.language in ENGLISH or signals.turns_since_offer is None or signals.consent is False:
        return None
    return Escalation(reason=Reason.LANGUAGE, rule="still_foreign", evidence=Evidence(words=signals.language))


RULES: tuple[Rule, ...] = (
    crisis,
    asked,
    accepted,
    abused_again,
    sensitive,
    priority_customer,
    repeated_failure,
    still_frustrated,
    still_foreign,
    failure,
    frustrated,
    declining,
    unanswered,
    sensitive_offer,
    too_long,
    foreign_language,
)
"""The written priority."""


def _topic(topic: Topic, offer: bool) -> Escalation:
    return Escalation(
        reason=Reason(topic.reason), rule=topic.name, evidence=Evidence(words=topic.words), offer=offer, note=topic.note
    )


def _frustration(signals: Signals, limits: Limits, rule: str, offer: bool) -> Escalation | None:
    value = signals.frustration
    if value is None or value <= limits.frustration_above:
        return None
    evidence = Evidence(value=value, threshold=limits.frustration_above)
    return Escalation(reason=Reason.FRUSTRATED, rule=rule, evidence=evidence, offer=offer)
