"""The settings as text: the README's table, and an example of a `.env` file."""

from pathlib import Path

from pydantic_core import PydanticUndefined

from bot.settings import ROOT, Settings


def settings_table() -> str:
    """Every setting as a row of a Markdown table: name, default, meaning."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `{name.upper()}` | {_default(field.default)} | {field.description} |")
    return "\n".join(rows)


def settings_example() -> str:
    """Every setting as a comment of a `.env` file: what it means, and its default to be changed."""
    lines = ["# Every setting of Frontdesk; made by `python -m bot settings --env`. Take the `#` away from what you change."]
    for name, field in Settings.model_fields.items():
        default = _default(field.default).strip("`")
        lines.append(f"\n# {field.description}\n# {name.upper()}={'' if default == 'unset' else default}")
    return "\n".join(lines)


def _default(value: object) -> str:
    if value is None or value is PydanticUndefined or value == ():
        return "unset"
    shown = value.relative_to(ROOT) if isinstance(value, Path) and value.is_absolute() else value
    return f"`{shown}`"
