"""Rules about words, kept as data: named patterns in `bot/policies/*.yaml`, compiled once, searched in a message."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.errors import SettingsInvalid
from bot.spelling import Spelling

POLICIES = Path(__file__).resolve().parent / "policies"
_MACRO = re.compile(r"\{([a-z_]+)\}")
_UNBOUNDED = re.compile(r"(?:\.|\)|\\W)[*+]")
LONGEST_EVIDENCE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A rule that fired: its name, and the customer's words that fired it (in plain form, at most 120 characters)."""

    rule: str
    words: str


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Lines = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Rule(BaseModel):
    """One rule of a file: any of `find` fires it, unless one of `unless` stands in the same sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    find: Lines = Field(min_length=1)
    unless: Lines = ()
    anywhere: bool = False
    """Also inside words: for languages that write without spaces."""


class PolicyFile(BaseModel):
    """What every policy file may hold: macros for its patterns, exceptions for all of them, and rules in their order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str = ""
    spelling: tuple[str, ...] = ()
    words: Mapping[str, str | tuple[str, ...]] = {}
    unless: Lines = ()
    rules: tuple[Rule, ...] = ()


Policy = TypeVar("Policy", bound=BaseModel)


def read_policy(path: Path, model: type[Policy]) -> Policy:
    """A policy file. Raises SettingsInvalid naming the file, the place in it and what is wrong."""
    try:
        raw: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return model.model_validate(raw if raw is not None else {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsInvalid(f"{path}: cannot be read as YAML: {error}") from None
    except ValidationError as invalid:
        first = invalid.errors()[0]
        raise SettingsInvalid(f"{path}: {'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}") from None


class Patterns:
    """The compiled rules of one file. Searching is linear in practice: patterns hold only bounded gaps."""

    def __init__(self, file: PolicyFile, source: str) -> None:
        names = [rule.name for rule in file.rules]
        for name in names:
            if names.count(name) > 1:
                raise SettingsInvalid(f"{source}: two rules are called '{name}'; give each its own name")
        self._spelling = Spelling(file.spelling)
        self._compile = _Compiler(file.words, source)
        self._unless = self._compile(file.unless, "unless")
        self._rules = [
            (rule.name, self._compile(rule.find, rule.name, rule.anywhere), self._compile(rule.unless, rule.name))
            for rule in file.rules
        ]

    def find(self, plain_text: str) -> Match | None:
        """The first rule, in the file's order, that fires on a text in plain form."""
        return next(self._matches(plain_text), None)

    def find_all(self, plain_text: str) -> list[Match]:
        """Every rule that fires, in the file's order, each with the first words that fired it."""
        return list(self._matches(plain_text))

    def _matches(self, plain_text: str) -> Iterator[Match]:
        text = self._spelling.correct(plain_text)
        for name, find, unless in self._rules:
            if find and (words := self._words(text, find, unless)):
                yield Match(rule=name, words=words)

    def _words(self, text: str, find: re.Pattern[str], unless: re.Pattern[str] | None) -> str:
        for found in find.finditer(text):
            sentence = _sentence(text, found.start(), found.end())
            if not any(exception and exception.search(sentence) for exception in (unless, self._unless)):
                return found[0].strip(" .,")[:LONGEST_EVIDENCE]
        return ""


class _Compiler:
    """Joins patterns to one expression; `{name}` stands for the file's words of that name."""

    def __init__(self, words: Mapping[str, str | Sequence[str]], source: str) -> None:
        self._words = {name: value if isinstance(value, str) else "|".join(value) for name, value in words.items()}
        self._source = source

    def __call__(self, patterns: Sequence[str], where: str, anywhere: bool = False) -> re.Pattern[str] | None:
        if not patterns:
            return None
        joined = "|".join(self._filled(one, where) for one in patterns)
        if _UNBOUNDED.search(joined):
            raise SettingsInvalid(
                f"{self._source}: {where}: a gap without an end (`.*`, `)+`); write how many words, as `{{0,5}}`"
            )
        try:
            return re.compile(joined if anywhere else rf"(?<![\w'])(?:{joined})(?![\w'])")
        except re.error as error:
            raise SettingsInvalid(f"{self._source}: {where}: a pattern cannot be compiled: {error}") from None

    def _filled(self, pattern: str, where: str) -> str:
        for _ in range(3):  # macros may use macros, three deep
            pattern = _MACRO.sub(lambda found: f"(?:{self._word(found[1], where)})", pattern)
        return pattern

    def _word(self, name: str, where: str) -> str:
        if name not in self._words:
            raise SettingsInvalid(f"{self._source}: {where}: {{{name}}} is not among the file's words")
        return self._words[name]


def _sentence(text: str, start: int, end: int) -> str:
    left, right = text.rfind(" . ", 0, start + 1), text.find(" . ", end)
    return text[left + 1 if left >= 0 else 0 : right if right >= 0 else len(text)]


@lru_cache
def load_patterns(name: str, folder: Path = POLICIES) -> Patterns:
    """The rules of `bot/policies/NAME.yaml`, read once. Raises SettingsInvalid."""
    path = folder / f"{name}.yaml"
    return Patterns(read_policy(path, PolicyFile), str(path))
