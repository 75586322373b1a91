"""How much a text looks like an instruction to the bot. A score, never a verdict: text is no permission."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from bot.patterns import POLICIES, Lines, Patterns, PolicyFile, Rule, read_policy
from bot.plain import READ_CHARS, plain

_ROLE_TAGS = re.compile(
    r"<\|?/?(?:im_start|im_end|system|assistant|user|inst|sys|endoftext|tool|function)[^<>\n]{0,40}\|?>|\[/?(?:INST|"
    r"SYS(?:TEM)?)\]"
    r"|^\W{0,6}(?:system|assistant|developer)\W{0,3}:|#{2,4} ?(?:system|instruction|response|end)|-{3,} ?(?:begin|end) "
    r"[a-z ]{0,20}prompt",
    re.IGNORECASE | re.MULTILINE,
)
_ENCODED = re.compile(
    r"(?<![\w+/=])(?=[A-Za-z0-9+/]{0,80}[A-Z])(?=[A-Za-z0-9+/]{0,80}[0-9])[A-Za-z0-9+/]{60,2000}={0,2}(?![\w+/=])"
)
_HIDDEN = re.compile("[\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
_STRUCTURE = {"role_tags": (_ROLE_TAGS, 0.7), "encoded": (_ENCODED, 0.3), "hidden_characters": (_HIDDEN, 0.3)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """How much a text looks like an instruction to the bot: a score in [0, 1], and each rule that fired with its words."""

    score: float
    found: tuple[tuple[str, str], ...] = ()


class _Weighted(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    weight: float = Field(gt=0, le=1)
    find: Lines
    unless: Lines = ()


class _Weights(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str = ""
    words: Mapping[str, str | tuple[str, ...]] = {}
    rules: tuple[_Weighted, ...]


def score_injection(raw: str) -> Injection:
    """Score a text as it came in, before cleaning takes hidden characters out; for articles and tool results too."""
    raw = raw[:READ_CHARS]
    weights, patterns = _load(POLICIES / "injection.yaml")
    found = [(match.rule, match.words) for match in patterns.find_all(plain(raw))]
    found += [(name, hit[0][:60]) for name, (shape, _) in _STRUCTURE.items() if (hit := shape.search(raw))]
    missed = math.prod(1 - (weights.get(name) or _STRUCTURE[name][1]) for name, _ in found)
    return Injection(score=round(1 - missed, 3), found=tuple(found))


@lru_cache
def _load(path: Path) -> tuple[dict[str, float], Patterns]:
    file = read_policy(path, _Weights)
    rules = tuple(Rule(name=one.name, find=one.find, unless=one.unless) for one in file.rules)
    return {one.name: one.weight for one in file.rules}, Patterns(PolicyFile(words=file.words, rules=rules), str(path))
