"""The prompt's lines as a vendor can take them: one system text, and tool rounds of other providers told as text."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.llm.stream import Line


def system_text(lines: Sequence[Line]) -> str:
    """All system lines as one: some servers refuse a system line that is not the first."""
    return "\n\n".join(line.text for line in lines if line.role == "system" and line.text)


def dialogue(lines: Sequence[Line], provider: str | None) -> list[Line]:
    """The other lines, in which only `provider`'s own tool rounds are left as such; None: no round is.

    A vendor refuses calls that carry another one's signature, or none. Told as text, what was done stays known and is not
    done again.
    """
    names = {call.id: call.name for line in lines for call in line.tool_requests}
    own = {call.id for line in lines for call in line.tool_requests if provider and call.provider == provider}
    return [_as_text(line, names, own) for line in lines if line.role != "system"]


def arguments_text(arguments: object) -> str:
    """A tool's arguments as JSON."""
    return json.dumps(arguments, ensure_ascii=False, default=str)


def gemini_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema in Gemini's dialect: types are names in capitals, and null is a mark of its own."""
    dialect: dict[str, Any] = {key: schema[key] for key in ("description", "required") if key in schema}
    if "enum" in schema:
        dialect["enum"] = [str(value) for value in schema["enum"]]
    kinds = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type", "string")]
    dialect["type"] = next((kind for kind in kinds if kind != "null"), "string").upper()
    dialect["nullable"] = "null" in kinds
    if "properties" in schema:
        dialect["properties"] = {name: gemini_schema(inner) for name, inner in schema["properties"].items()}
    if "items" in schema:
        dialect["items"] = gemini_schema(schema["items"])
    return dialect


def _as_text(line: Line, names: dict[str, str], own: set[str]) -> Line:
    if line.role == "tool" and line.answers not in own:
        return Line(role="customer", text=f"[result of {names.get(line.answers or '', 'a tool')}] {line.text}")
    foreign = [call for call in line.tool_requests if call.id not in own]
    if not foreign:
        return line
    called = "\n".join(f"[called {call.name}({arguments_text(call.arguments)})]" for call in foreign)
    kept = tuple(call for call in line.tool_requests if call.id in own)
    return replace(line, text=f"{line.text}\n{called}".strip(), tool_requests=kept)
