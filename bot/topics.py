"""The policy table: topics a person decides about, whatever the bot knows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.nearness import Near
from bot.patterns import LONGEST_EVIDENCE, POLICIES, Lines, Match, Patterns, PolicyFile, Rule, read_policy
from bot.plain import plain

CERTAIN = 0.98
"""So near to the examples of a topic a message is of the topic, whatever else it is read as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic found in a message: what the table says of it, and the customer's words."""

    name: str
    act: Literal["hand_over", "offer"]
    reason: str
    flag: str
    note: str
    words: str


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    act: Literal["hand_over", "offer"]
    reason: Literal["sensitive", "legal", "press"] = "sensitive"
    flag: str = ""
    note: str = ""
    about: tuple[str, ...] = ()
    """Intents of such messages: read as another, nearness to the examples does not count."""
    find: Lines
    unless: Lines = ()


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str = ""
    words: Mapping[str, str | tuple[str, ...]] = {}
    topics: tuple[_Entry, ...] = Field(min_length=1)


def _any(_: Sequence[str]) -> bool:
    return True


def find_topics(
    text: str,
    near: Iterable[tuple[str, Near]] = (),
    near_above: float = 1.0,
    may_be: Callable[[Sequence[str]], bool] = _any,
    folder: Path = POLICIES,
) -> tuple[Topic, ...]:
    """Every topic of `sensitive.yaml` in a message, in the table's order.

    `near` is how near the message, and parts of it, come to the written examples; without it only the patterns speak.
    `may_be` tells of intents whether the message may be one of them.
    """
    entries, patterns = _load(folder / "sensitive.yaml")
    like = [
        Match(rule=one.kind, words=piece[:LONGEST_EVIDENCE])
        for piece, one in near
        if one.score > near_above and (one.score > CERTAIN or may_be(entries[one.kind].about))
    ]
    words = {match.rule: match.words for match in (*like, *patterns.find_all(plain(text)))}
    return tuple(
        Topic(name=one.name, act=one.act, reason=one.reason, flag=one.flag, note=one.note, words=words[one.name])
        for one in entries.values()
        if one.name in words
    )


@lru_cache
def _load(path: Path) -> tuple[dict[str, _Entry], Patterns]:
    table = read_policy(path, _Table)
    rules = tuple(Rule(name=one.name, find=one.find, unless=one.unless) for one in table.topics)
    return {one.name: one for one in table.topics}, Patterns(PolicyFile(words=table.words, rules=rules), str(path))
