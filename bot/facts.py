"""What a message says that is worth remembering: numbers, plans, devices, wishes; found by the patterns of a policy file."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from bot.errors import SettingsInvalid
from bot.patterns import POLICIES, read_policy

READ_CHARS = 4000
"""So much of a message is read: the longest that is taken by default."""
VALUE_CHARS = 160
_MACRO = re.compile(r"\{([a-z_]+)\}")
_UNBOUNDED = re.compile(r"(?:\.|\)|\]|\\\w)[*+]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something found: the rule's name and what was said.

    `is_own` says that it is the customer's own, `many` that a customer may have several of them at once.
    """

    name: str
    value: str
    is_own: bool = False
    many: bool = False


class FactRule(BaseModel):
    """One rule: `find` in a conversation; `own` where the words say that it is the customer's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z]{2,20}$")
    find: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    many: bool = False
    case: bool = False


class FactFile(BaseModel):
    """The policy file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str = ""
    words: Mapping[str, str] = {}
    rules: tuple[FactRule, ...]
    tried: str
    promised: str
    unhelped: str
    helped: str


class FactReader:
    """Reads messages by the rules of a file. Raises SettingsInvalid for a pattern that cannot be used."""

    def __init__(self, file: FactFile, source: str) -> None:
        self._words, self._source = file.words, source
        self._rules = [
            (rule, [self._compile(one, rule.case) for one in rule.find], [self._compile(one, rule.case) for one in rule.own])
            for rule in file.rules
        ]
        self._tried, self._promised = self._compile(file.tried), self._compile(file.promised)
        self._unhelped, self._helped = self._compile(file.unhelped), self._compile(file.helped)

    def facts(self, text: str) -> list[Found]:
        """What the text says, each thing once; the customer's own before what is only named."""
        found: dict[tuple[str, str], Found] = {}
        for each in self._facts(_readable(text)):
            found.setdefault((each.name, each.value.casefold()), each)
        return list(found.values())

    def tried(self, text: str) -> list[str]:
        """What the customer says that they tried."""
        return _clauses(self._tried, text)

    def promised(self, text: str) -> list[str]:
        """What somebody of the company says will be done."""
        return _clauses(self._promised, text)

    def is_unhelped(self, text: str) -> bool:
        """Whether the customer says that the last answer did not help."""
        return bool(self._unhelped.search(_readable(text)))

    def is_helped(self, text: str) -> bool:
        """Whether the customer says that it did, and no more than that."""
        return len(text) <= VALUE_CHARS and bool(self._helped.search(_readable(text))) and "?" not in text

    def _facts(self, text: str) -> Iterator[Found]:
        for rule, named, own in self._rules:
            for patterns, is_own in ((own, True), (named, False)):
                for pattern in patterns:
                    for match in pattern.finditer(text):
                        value = " ".join(match["value"].split()).strip(" -,'")[:VALUE_CHARS]
                        yield Found(name=rule.name, value=value, is_own=is_own, many=rule.many)

    def _compile(self, pattern: str, case: bool = False) -> re.Pattern[str]:
        for _ in range(3):  # words may hold words
            pattern = _MACRO.sub(lambda found: f"(?:{self._word(found[1])})", pattern)
        if _UNBOUNDED.search(pattern):
            raise SettingsInvalid(f"{self._source}: a gap without an end in {pattern[:60]!r}; write how many, as `{{0,5}}`")
        try:
            return re.compile(pattern, 0 if case else re.IGNORECASE)
        except re.error as error:
            raise SettingsInvalid(f"{self._source}: {pattern[:60]!r} cannot be compiled: {error}") from None

    def _word(self, name: str) -> str:
        if name not in self._words:
            raise SettingsInvalid(f"{self._source}: {{{name}}} is not among the file's words")
        return self._words[name]


def _readable(text: str) -> str:
    return text[:READ_CHARS].replace("’", "'")


def _clauses(pattern: re.Pattern[str], text: str) -> list[str]:
    found = (" ".join(match[0].split())[:VALUE_CHARS].strip(" ,;") for match in pattern.finditer(_readable(text)))
    return list(dict.fromkeys(found))


@lru_cache
def load_facts(folder: Path = POLICIES) -> FactReader:
    """The reader of `bot/policies/facts.yaml`, made once. Raises SettingsInvalid."""
    path = folder / "facts.yaml"
    return FactReader(read_policy(path, FactFile), str(path))
