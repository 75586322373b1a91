"""The handover packet: what an agent must know, each statement with the entry it comes from; a customer never gets it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.desk.cases import Case, MoodPoint
from bot.domain import Entry, Kind, Speaker
from bot.patterns import load_patterns
from bot.personal import Personal, mask
from bot.plain import plain
from knowledge.sentences import split_sentences

SHORT = 160
FEW_WORDS = 4
MOST = 5
"""Statements of one kind."""
_NOT_REPEATED = frozenset({Personal.SECRET, Personal.CARD, Personal.IBAN})
_MARKUP = re.compile(r"\[\d+\]|\*\*|`|^#+\s+|^\s*[-*+]\s+|\[([^\]]*)\]\([^)]*\)", re.MULTILINE)
_FACT = re.compile(
    r"(?P<postcode>\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b)|(?P<reference>\b(?=[\w-]*\d)[A-Z]{1,4}-?[\w-]*\d{3,}\b)|"
    r"(?P<amount>[£€$] ?\d[\d.,]*\d|[£€$] ?\d)|"
    r"(?P<date>\b\d{1,2}(?:st|nd|rd|th)? (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b|"
    r"\b\d{1,2}[./]\d{1,2}(?:[./]\d{2,4})?\b)|(?P<number>\b\d{5,}\b)",
    re.IGNORECASE,
)
_COMMITS = re.compile(
    r"\b(?:(?:I|we)(?:'ll| will|'m going to| am going to)|will be|you(?:'ll| will) (?:get|receive|hear))\b", re.IGNORECASE
)

REASONS: Mapping[str, str] = {
    "crisis": "Somebody may be in danger",
    "asked": "Asked for a person",
    "abuse": "Abusive after a warning",
    "sensitive": "Sensitive matter",
    "legal": "Speaks of lawyers or the ombudsman",
    "press": "Speaks of the press",
    "priority": "Priority customer",
    "failure": "Something of ours failed",
    "repeated": "Not helped several times",
    "frustrated": "Frustrated",
    "declining": "Getting more frustrated",
    "unanswered": "The articles do not answer it",
    "too_long": "Long chat without a solution",
    "language": "Writes in another language",
    "taken_over": "Taken over by a colleague",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Something that was said or done, and the number of the entry that says so."""

    text: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """What the agent reads beside the chat."""

    reason: str
    rule: str
    evidence: str
    advice: str
    need: tuple[Statement, ...]
    tried: tuple[Statement, ...]
    promised: tuple[Statement, ...]
    facts: tuple[Statement, ...]
    notes: tuple[Statement, ...]
    moods: tuple[MoodPoint, ...]


def build_packet(case: Case, entries: Sequence[Entry]) -> Packet:
    """The packet of a case, from its entries, oldest first."""
    escalation = case.escalation
    said = [entry for entry in entries if entry.kind is Kind.MESSAGE]
    return Packet(
        reason=say_reason(case.reason),
        rule=str(escalation.get("rule") or ""),
        evidence=say_evidence(escalation.get("evidence")),
        advice=str(escalation.get("note") or ""),
        need=_need([entry for entry in said if entry.speaker is Speaker.CUSTOMER], case),
        tried=_tried(said),
        promised=_promised([entry for entry in said if entry.speaker is not Speaker.CUSTOMER]),
        facts=_facts([entry for entry in said if entry.speaker is Speaker.CUSTOMER]),
        notes=tuple(Statement(text=shorten(e.text), seq=e.seq) for e in entries if e.kind is Kind.NOTE)[-MOST:],
        moods=tuple(case.moods[-40:]),
    )


def say_reason(reason: str) -> str:
    """A reason in words for agents."""
    return REASONS.get(reason, reason.replace("_", " ").capitalize())


def say_evidence(evidence: object) -> str:
    """What a rule rests on, in a line: the customer's words, a value against its threshold."""
    given: Mapping[str, Any] = evidence if isinstance(evidence, dict) else {}
    words, value, threshold = given.get("words"), given.get("value"), given.get("threshold")
    parts = [f"“{shorten(str(words))}”"] if words else []
    if isinstance(value, int | float):
        limit = f" (threshold {threshold:g})" if isinstance(threshold, int | float) else ""
        parts.append(f"{value:.2g}{limit}")
    return " · ".join(parts)


def shorten(text: str, most: int = SHORT) -> str:
    """The text on one line, without Markdown, cut at a word."""
    line = " ".join(_MARKUP.sub(lambda found: found[1] or "", text).split())
    return line if len(line) <= most else line[:most].rsplit(" ", 1)[0] + "…"


def _need(asked: Sequence[Entry], case: Case) -> tuple[Statement, ...]:
    """The first message that says something, the longest of the first, and the last before people were needed."""
    before = [entry for entry in asked if not case.record or entry.seq < case.record.seq] or list(asked)
    if not before:
        return ()
    first = next((entry for entry in before if len(entry.text.split()) >= FEW_WORDS), before[0])
    chosen = {first.seq, max(before[:6], key=lambda entry: min(len(entry.text), 400)).seq, before[-1].seq}
    return tuple(Statement(text=shorten(entry.text), seq=entry.seq) for entry in before if entry.seq in chosen)


def _tried(said: Iterable[Entry]) -> tuple[Statement, ...]:
    """What the bot answered from which article, and where it had no answer."""
    tried = []
    for entry in said:
        if entry.speaker is Speaker.BOT:
            titles = list(dict.fromkeys(str(cited.get("title", "")) for cited in _cited(entry)))
            outcome = str(entry.data.get("outcome", "")).replace("_", " ")
            told = f"Answered from “{titles[0]}”" if titles else f"{outcome.capitalize() or 'Replied'}: {entry.text}"
            if outcome != "greeted":
                tried.append(Statement(text=shorten(told), seq=entry.seq))
    return tuple(tried[-MOST:])


def _cited(entry: Entry) -> list[Mapping[str, Any]]:
    citations = entry.data.get("citations")
    return [one for one in citations if isinstance(one, dict)] if isinstance(citations, list) else []


def _promised(said: Iterable[Entry]) -> tuple[Statement, ...]:
    """Sentences of ours that commit us to something."""
    patterns = load_patterns("promises")
    found = [
        Statement(text=shorten(sentence), seq=entry.seq)
        for entry in said
        if entry.speaker is Speaker.AGENT or not _cited(entry)
        for sentence in split_sentences(entry.text)
        if patterns.find_all(plain(sentence)) or (entry.speaker is Speaker.AGENT and _COMMITS.search(sentence))
    ]
    return tuple(found[-MOST:])


def _facts(asked: Iterable[Entry]) -> tuple[Statement, ...]:
    """What the customer gave that an agent would otherwise ask for again; each once, as they wrote it."""
    facts: dict[str, Statement] = {}
    for entry in asked:
        found = [span for span in mask(entry.text).found if span.kind not in _NOT_REPEATED]
        spans = [(str(span.kind), entry.text[span.start : span.end]) for span in found]
        plain_ones = [(str(match.lastgroup), match[0]) for match in _FACT.finditer(entry.text)]
        taken = " ".join(text for _, text in spans)
        for kind, text in [*spans, *(one for one in plain_ones if one[1] not in taken)]:
            facts.setdefault(text.casefold(), Statement(text=f"{kind}: {text}", seq=entry.seq))
    return tuple(facts.values())[-2 * MOST :]
