"""Renders prompt files. A variable that is missing, or one that was not declared, is an error before it is a bad prompt."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import SandboxedEnvironment

from bot.errors import PromptInvalid

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A rendered prompt; `hash` names the file's content it came from, twelve hexadecimal digits."""

    name: str
    text: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    changed: int
    variables: frozenset[str]
    template: Template
    hash: str


class Prompts:
    """The prompt files of a folder, read again when they change on disk, so that an edit shows in the next turn."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._environment = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        self._files: dict[str, _File] = {}

    def check(self) -> None:
        """Read every file once. Raises PromptInvalid naming the first that cannot be used."""
        for path in sorted(self._folder.glob("*.md")):
            self._file(path.stem)

    def render(self, name: str, variables: Mapping[str, Any]) -> Prompt:
        """The prompt with its variables filled in. Raises PromptInvalid for a missing or an undeclared one."""
        file = self._file(name)
        if wrong := file.variables ^ variables.keys():
            raise PromptInvalid(f"{self._path(name)}: declared and given variables differ in {', '.join(sorted(wrong))}")
        try:
            text = file.template.render(variables)
        except TemplateError as error:
            raise PromptInvalid(f"{self._path(name)}: {error}") from error
        return Prompt(name=name, text=text.strip(), hash=file.hash)

    def _file(self, name: str) -> _File:
        path = self._path(name)
        try:
            changed = path.stat().st_mtime_ns
            known = self._files.get(name)
            if known is None or known.changed != changed:
                self._files[name] = known = self._read(path, changed)
        except (OSError, UnicodeDecodeError, yaml.YAMLError, TemplateError) as error:
            raise PromptInvalid(f"{path} cannot be used: {error}") from error
        return known

    def _read(self, path: Path, changed: int) -> _File:
        text = path.read_text(encoding="utf-8")
        opening, _, rest = text.partition("---\n")
        head, fence, body = rest.partition("\n---\n")
        declared = yaml.safe_load(head) if fence and not opening else None
        if not isinstance(declared, dict) or not isinstance(declared.get("variables"), list):
            raise PromptInvalid(f"{path} must begin with front matter that lists its `variables`")
        variables = frozenset(map(str, declared["variables"]))
        used = meta.find_undeclared_variables(self._environment.parse(body))
        if used != variables:
            raise PromptInvalid(f"{path}: declared and used variables differ in {', '.join(sorted(used ^ variables))}")
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        return _File(changed=changed, variables=variables, template=self._environment.from_string(body), hash=digest)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.md"
