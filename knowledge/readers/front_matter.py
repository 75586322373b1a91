"""The YAML block at the top of a Markdown file, read as the plain `name: value` list that it is."""

import re

import yaml

from knowledge.errors import FileRefused
from knowledge.readers.fields import KNOWN, LISTS

LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the C one is ten times as fast
FENCE = re.compile(r"\s*---[ \t]*\n")
FIRST_LINE = re.compile(r"(?:\s*#[^\n]*\n)*\s*[\"']?\w[\w -]*[\"']?\s*:(?:\s|$)")
CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.MULTILINE)
LONGEST = 20_000
DEEPEST = 20


def split_front_matter(text: str) -> tuple[dict[str, str] | None, str]:
    """The stated values, None where there is no front matter, and the body.

    Raises FileRefused when the block is never closed, is not YAML, repeats a name or uses aliases.
    """
    fence = FENCE.match(text)
    if not fence or not FIRST_LINE.match(text, fence.end()):
        return None, text
    closing = CLOSING.search(text, fence.end(), fence.end() + LONGEST)
    if not closing:
        raise FileRefused("Its front matter is never closed: put a line with --- after it.")
    try:
        return _read_mapping(text[fence.end() : closing.start()]), text[closing.end() :]
    except yaml.YAMLError as broken:
        mark = getattr(broken, "problem_mark", None)
        line = f" in line {mark.line + 2}" if mark else ""
        raise FileRefused(f"Its front matter is not valid YAML{line}: put values that contain a colon in quotes.") from None


def _read_mapping(block: str) -> dict[str, str]:
    """Scalars as written (so that `id: 0012` stays 0012), `questions` one a line; lists under other names are left out.

    Reads the parser's events: nothing is constructed, no alias is expanded, nesting costs no stack.
    """
    values: dict[str, str] = {}
    name: str | None = None
    depth = 0
    for event in yaml.parse(block, Loader=LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise FileRefused("Its front matter uses YAML aliases (*name), which are not read: write the values out.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            _check_nesting(event, depth, name)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            name = None if depth == 1 else name
        elif isinstance(event, yaml.ScalarEvent) and depth == 1:
            if name is None:
                name = _new_name(event.value, values)
            else:
                values[name] = "" if event.implicit[0] and event.value in {"~", "null"} else event.value
                name = None
        elif isinstance(event, yaml.ScalarEvent) and depth == 2 and name in LISTS:
            values[name] = f"{values.get(name, '')}\n{' '.join(event.value.split())}".lstrip()
    return values


def _check_nesting(event: yaml.CollectionStartEvent, depth: int, name: str | None) -> None:
    if depth > DEEPEST or (depth == 1 and not isinstance(event, yaml.MappingStartEvent)):
        raise FileRefused("Its front matter is not a list of `name: value` lines: write one per line.")
    if name in LISTS and (depth > 2 or isinstance(event, yaml.MappingStartEvent)):
        raise FileRefused(f"Its front matter nests values under '{name}': write one question per line, in quotes.")
    if depth == 2 and name in KNOWN and name not in LISTS:
        raise FileRefused(f"Its front matter has a list under '{name}': write one value.")


def _new_name(written: str, values: dict[str, str]) -> str:
    name = written.strip().lower()
    if name in values:
        raise FileRefused(f"Its front matter states '{name}' twice: keep one.")
    return name
