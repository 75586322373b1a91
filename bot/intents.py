"""The intents as data: reads the intents file and reports every mistake in it at once, each with its line."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.errors import IntentsInvalid
from knowledge.document import DocumentId

FEWEST_EXAMPLES = 5
"""Below this an intent cannot be told from the others, and its confidence cannot be estimated."""
MOST_BYTES = 5_000_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""In C, where PyYAML was built with it: 15 times as fast."""

Location = tuple[int | str, ...]


class Route(StrEnum):
    """What happens to a message of an intent: the closed list."""

    ANSWER = "answer"
    """From the help articles."""
    TOOL = "tool"
    """Needs the customer's own data or changes it; until a tool can, it is answered from the articles."""
    HUMAN = "human"
    """Handed over."""
    COURTESY = "courtesy"
    """One of the bot's own sentences."""
    DECLINE = "decline"
    """Out of scope: at most one intent, whose examples show what the company does not answer."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Example = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class _IntentForm(_Strict):
    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    description: str = Field(min_length=10, max_length=300)
    route: Annotated[Route, Field(strict=False)]
    sensitive: bool = False
    answer: str | None = Field(None, pattern=r"^\S{1,200}$")
    keywords: list[str] = Field([], max_length=50)
    examples: list[Example] = Field(min_length=FEWEST_EXAMPLES, max_length=5000)


class _FileForm(_Strict):
    intents: list[_IntentForm] = Field(min_length=2, max_length=500)
    follow_ups: list[Example] = Field([], max_length=5000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One thing customers come for.

    `keywords` are patterns that settle it alone, `answer` is the article whose vetted answer is given, whatever was found.
    """

    name: str
    description: str
    route: Route
    sensitive: bool
    keywords: tuple[re.Pattern[str], ...]
    examples: tuple[str, ...]
    answer: DocumentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intents:
    """The whole file; `digest` changes when a byte of it does.

    `follow_ups` are messages that say nothing by themselves and go on with any of the intents.
    """

    intents: tuple[Intent, ...]
    digest: str
    follow_ups: tuple[str, ...] = ()

    @property
    def in_scope(self) -> tuple[Intent, ...]:
        """Every intent but the declined one."""
        return tuple(intent for intent in self.intents if intent.route is not Route.DECLINE)

    @property
    def out_of_scope(self) -> Intent | None:
        """The declined one, if the file has it."""
        return next((intent for intent in self.intents if intent.route is Route.DECLINE), None)

    def named(self, name: str) -> Intent | None:
        """An intent by name."""
        return next((intent for intent in self.intents if intent.name == name), None)


def read_intents(path: Path) -> Intents:
    """Read an intents file. Raises IntentsInvalid: missing, unreadable, not YAML, or every mistake with its line."""
    try:
        content = path.read_bytes()
        if len(content) > MOST_BYTES:
            raise IntentsInvalid(f"{path}: over {MOST_BYTES:,} bytes; an intents file holds examples, not whole chats")
        text = content.decode("utf-8")
        root = yaml.compose(text, Loader=_LOADER)
        form = yaml.load(text, Loader=_LOADER)  # noqa: S506  a safe loader, whichever it is
    except OSError as error:
        raise IntentsInvalid(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError:
        raise IntentsInvalid(f"{path}: not UTF-8 text") from None
    except (yaml.YAMLError, ValueError) as error:
        raise IntentsInvalid(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if root is None or not isinstance(form, dict):
        raise IntentsInvalid(f"{path}: holds no intents; it must begin with 'intents:' and a list")
    lines = dict(_lines(root))
    problems = [*_repeated_keys(root), *_mistakes(form, lines)]
    if problems:
        listed = "".join(f"\n  line {line}: {problem}" for line, problem in sorted(problems))
        raise IntentsInvalid(f"{path} cannot be used; correct these lines:{listed}")
    return _build(_FileForm.model_validate(form), hashlib.sha256(content).hexdigest())


def _build(form: _FileForm, digest: str) -> Intents:
    return Intents(
        digest=digest,
        follow_ups=tuple(form.follow_ups),
        intents=tuple(
            Intent(
                name=one.name,
                description=one.description,
                route=one.route,
                sensitive=one.sensitive,
                keywords=tuple(re.compile(pattern, re.IGNORECASE) for pattern in one.keywords),
                examples=tuple(one.examples),
                answer=DocumentId(one.answer) if one.answer else None,
            )
            for one in form.intents
        ),
    )


def _mistakes(form: dict[str, Any], lines: dict[Location, int]) -> list[tuple[int, str]]:
    """Mistakes of shape; where there are none, those that only the intents together show."""
    try:
        read = _FileForm.model_validate(form)
    except ValidationError as invalid:
        return [(_line(lines, error["loc"]), _said(form, error)) for error in invalid.errors()] + _doubles(form, lines)
    return [*_doubles(form, lines), *((_line(lines, where), what) for where, what in _across(read.intents, read.follow_ups))]


def _said(form: dict[str, Any], error: Any) -> str:  # noqa: ANN401  pydantic's error details
    """One mistake in words: which intent, which field, what is wrong, and what stands there."""
    place = [str(part) for part in error["loc"] if not isinstance(part, int)]
    name = _name(form, error["loc"])
    message = error["msg"]
    if error["type"] == "extra_forbidden":
        known = _IntentForm if len(error["loc"]) > 1 else _FileForm
        message = f"unknown key; known are {', '.join(known.model_fields)}"
    elif error["loc"][-1] == "route":
        message = f"must be one of {', '.join(Route)}"
    elif error["type"] == "too_short" and error["loc"][-1] == "examples":
        message = f"needs at least {FEWEST_EXAMPLES}, has {len(error['input'])}"
    shown = "" if error["type"] == "missing" or isinstance(error["input"], list | dict) else f" (is {error['input']!r:.60})"
    return f"{name}{place[-1] if place else 'intents'}: {message}{shown}"


def _name(form: dict[str, Any], loc: Sequence[int | str]) -> str:
    if len(loc) < 2 or loc[0] != "intents" or not isinstance(loc[1], int):
        return ""
    intent = form["intents"][loc[1]]
    named = intent.get("name") if isinstance(intent, dict) else None
    return f"{named}: " if isinstance(named, str) else f"intent {loc[1] + 1}: "


def _doubles(form: dict[str, Any], lines: dict[Location, int]) -> list[tuple[int, str]]:
    """Names that come twice; looked for in the raw form, so that they show beside mistakes of shape."""
    seen: dict[str, int] = {}
    found = []
    listed = form.get("intents")
    for number, one in enumerate(listed if isinstance(listed, list) else ()):
        name = one.get("name") if isinstance(one, dict) else None
        if isinstance(name, str):
            line = _line(lines, ("intents", number, "name"))
            if name in seen:
                found.append((line, f"{name}: this name was used before, in line {seen[name]}"))
            seen.setdefault(name, line)
    return found


def _across(intents: Sequence[_IntentForm], follow_ups: Sequence[str]) -> Iterator[tuple[Location, str]]:
    declined = [number for number, one in enumerate(intents) if one.route is Route.DECLINE]
    for number in declined[1:]:
        yield ("intents", number, "route"), f"{intents[number].name}: only one intent may have the route 'decline'"
    if len(intents) - len(declined) < 2:
        yield ("intents",), "at least two intents must have another route than 'decline'"
    owner: dict[str, str] = {}
    for number, one in enumerate(intents):
        for place, example in enumerate(one.examples):
            first = owner.setdefault(" ".join(example.casefold().split()), one.name)
            if first != one.name or example in one.examples[:place]:
                yield ("intents", number, "examples", place), f"{one.name}: {example!r:.60} is an example of {first} already"
        for place, keyword in enumerate(one.keywords):
            if problem := _keyword_problem(keyword, one, intents):
                yield ("intents", number, "keywords", place), f"{one.name}: keyword {keyword!r:.60} {problem}"
    for place, example in enumerate(follow_ups):
        first = owner.setdefault(" ".join(example.casefold().split()), "follow_ups")
        if first != "follow_ups" or example in follow_ups[:place]:
            yield ("follow_ups", place), f"follow_ups: {example!r:.60} is an example of {first} already"


def _keyword_problem(keyword: str, own: _IntentForm, intents: Sequence[_IntentForm]) -> str | None:
    """Why a keyword cannot settle an intent alone; None when it can."""
    try:
        pattern = re.compile(keyword, re.IGNORECASE)
    except re.error as error:
        return f"is not a regular expression: {error}"
    if pattern.search(""):
        return "matches every message"
    for other in intents:
        for example in other.examples if other is not own else ():
            if pattern.search(example):
                return f"also matches an example of {other.name}: {example!r:.60}"
    return None


def _lines(node: yaml.Node, at: Location = ()) -> Iterator[tuple[Location, int]]:
    """The line of every place in the file, from 1."""
    yield at, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*at, key.value), key.start_mark.line + 1
            yield from (found for found in _lines(value, (*at, key.value)) if found[0] != (*at, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _lines(value, (*at, number))


def _line(lines: dict[Location, int], loc: Sequence[int | str]) -> int:
    """The line of a place, or of the nearest one around it that the file has."""
    return next((lines[tuple(loc[:end])] for end in range(len(loc), -1, -1) if tuple(loc[:end]) in lines), 1)


def _repeated_keys(node: yaml.Node) -> Iterator[tuple[int, str]]:
    """Keys that come twice in one mapping: YAML would silently keep the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.start_mark.line + 1, f"{key.value}: this key comes twice in one intent"
            seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated_keys(value)
