"""The output guard: sentences the bot may not say, unless it quotes a passage or a tool result."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from bot.patterns import load_patterns
from bot.personal import NEVER_KEPT, mask
from bot.plain import plain

_LINK = re.compile(
    r"(?i:https?|ftp|file|javascript|data|mailto|tel|sms|vbscript):[^\s<>\"')\]]{1,2000}|"
    r"(?<![\w/@.])(?:www\.)[^\s<>\"')\]]{2,500}"
)
_MARKDOWN_LINK = re.compile(r"!?\[[^\]\n]{0,300}\]\(\s{0,3}<?([^)\s>]{1,2000})")
_BARE_HOST = re.compile(
    r"(?<![\w@./-])((?:[a-z0-9-]{1,63}\.){1,4}(?:com|net|org|io|co|uk|de|eu|info|biz|app|dev|ru|xyz|example|link|shop|"
    r"site|online|ly|me|ai))(?![\w-])",
    re.IGNORECASE,
)
_WORD = re.compile(r"[\w£€$%.,]*[\w%]")
_QUOTED_SHARE = 0.8


class Breach(StrEnum):
    """What is wrong with a sentence."""

    PROMISE = "promise"
    CLAIMED_ACTION = "claimed_action"
    LEGAL_ADVICE = "legal_advice"
    MEDICAL_ADVICE = "medical_advice"
    LINK = "link"
    PERSONAL_DATA = "personal_data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What a reply may rest on: texts of its passages and tool results, registered hosts, what this customer wrote."""

    sources: Sequence[str] = ()
    hosts: frozenset[str] = field(default_factory=frozenset)
    customer_said: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A breach and the words that make it; the sentence must not be shown."""

    breach: Breach
    words: str


def check_words(sentence: str, allowed: Allowed, country: str = "GB") -> tuple[Finding, ...]:
    """Everything in a sentence that may not be said, in no case more than one finding of a kind."""
    findings = [*_links(sentence, allowed), *_personal(sentence, allowed, country)]
    said = load_patterns("promises").find_all(plain(sentence))
    if said and not _quoted(sentence, allowed.sources):
        findings += [Finding(breach=Breach(match.rule), words=match.words) for match in said]
    return tuple({finding.breach: finding for finding in findings}.values())


def _links(sentence: str, allowed: Allowed) -> list[Finding]:
    targets = [found[1] for found in _MARKDOWN_LINK.finditer(sentence)] + [found[0] for found in _LINK.finditer(sentence)]
    targets += [f"//{found[1]}" for found in _BARE_HOST.finditer(_LINK.sub(" ", sentence))]
    return [Finding(breach=Breach.LINK, words=target[:120]) for target in targets if not _registered(target, allowed.hosts)][
        :1
    ]


def _registered(target: str, hosts: frozenset[str]) -> bool:
    """Our own pages by path, or a registered host itself; never a script, a data address or a path that leaves the site."""
    if target.startswith(("#", "/")) and not target.startswith(("//", "/\\")):
        return "\\" not in target
    try:
        parts = urlsplit(target if "//" in target or ":" in target else f"//{target}")
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return False
    return (
        parts.scheme in ("https", "http", "") and not parts.username and host in {one.removeprefix("www.") for one in hosts}
    )


def _personal(sentence: str, allowed: Allowed, country: str) -> list[Finding]:
    """Cards, accounts and identity numbers never; an e-mail address or phone number only from a source or this customer."""
    known = re.sub(r"[\s()+.-]", "", " ".join([*allowed.sources, *allowed.customer_said]).lower())
    findings = []
    for span in mask(sentence, country).found:
        value = sentence[span.start : span.end]
        if span.kind in NEVER_KEPT or re.sub(r"[\s()+.-]", "", value.lower()) not in known:
            findings.append(Finding(breach=Breach.PERSONAL_DATA, words=f"[{span.kind}]"))
    return findings[:1]


def _quoted(sentence: str, sources: Sequence[str]) -> bool:
    """Nearly all words stand in one source, and every number and amount does."""
    words = [word.lower() for word in _WORD.findall(sentence)]
    for source in sources:
        theirs = {word.lower() for word in _WORD.findall(source)}
        numbers_held = all(word in theirs for word in words if any(sign.isdigit() for sign in word))
        if words and numbers_held and sum(word in theirs for word in words) >= _QUOTED_SHARE * len(words):
            return True
    return False
