"""JSON lines: one document a line; a broken line is left out by its number, the rest is read."""

import json

from knowledge.errors import FileRefused
from knowledge.readers.draft import Draft, Parsed
from knowledge.readers.fields import LISTS, pick_fields
from knowledge.readers.html import html_to_markdown


def parse_lines(text: str) -> Parsed:
    """The documents of a file of JSON objects, one a line."""
    drafts, refused = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            drafts.append(_read_line(line, number))
        except FileRefused as reason:
            refused.append(f"Line {number}: {reason}")
    return Parsed(drafts=tuple(drafts), refused=tuple(refused))


def _read_line(line: str, number: int) -> Draft:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):  # ValueError: not JSON, or a number of thousands of digits
        raise FileRefused("It is not valid JSON: write one whole object per line.") from None
    if not isinstance(values, dict):
        raise FileRefused("It is not a JSON object with `id`, `title` and `text`.")
    fields = pick_fields({name: _as_text(name, value) for name, value in values.items() if value is not None})
    return Draft(text=html_to_markdown(fields.pop("text", "")), fields=fields, line=number)


def _as_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if name.strip().lower() in LISTS and isinstance(value, list):
        return "\n".join(" ".join(str(one).split()) for one in value)
    return json.dumps(value)
