"""A run under way: each conversation is kept as it is finished, so that a run that was stopped goes on."""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.formats import FileInvalid
from evals.runs import Manifest, Played, Times, read_manifest
from evals.transcripts import Transcript, as_line

_TICKET = re.compile(r"\bT-\d{5,9}\b")
_OF_ONE_ENTRY = ("key", "at")
"""What names one proposal of a change: a random key, and when it was made."""


class RunFolder:
    """A run under way: keeps each conversation as it is finished, and puts them together at the end."""

    def __init__(self, folder: Path, manifest: Manifest, transcripts: Sequence[Transcript]) -> None:
        """Begin, or go on with what was stopped. Raises FileInvalid when the folder holds something else."""
        self._folder, self._partial = folder, folder / "partial"
        self._transcripts = transcripts
        if (folder / "run.json").exists():
            if read_manifest(folder) != manifest:
                raise FileInvalid(f"{folder}: holds a run of other transcripts, settings or articles; give another --out")
        elif folder.exists() and any(folder.iterdir()):
            raise FileInvalid(f"{folder}: the folder is not empty and holds no run; give another --out")
        self._begin(manifest)

    def _begin(self, manifest: Manifest) -> None:
        try:
            if not (self._folder / "turns.jsonl").exists():
                self._partial.mkdir(parents=True, exist_ok=True)
            _write(self._folder / "transcripts.jsonl", "".join(f"{as_line(one)}\n" for one in self._transcripts))
            _write(self._folder / "run.json", manifest.model_dump_json(indent=1) + "\n")
        except OSError as error:
            raise FileInvalid(f"{self._folder}: cannot be written ({error.strerror})") from None

    def missing(self) -> list[Transcript]:
        """What is still to be played."""
        if not self._partial.is_dir():
            return []
        return [one for one in self._transcripts if not self._file(one.id).exists()]

    def keep(self, played: Played, times: Times) -> None:
        """A conversation is finished. Raises FileInvalid when it cannot be written."""
        try:
            _write(self._file(played.id), f"{played.model_dump_json()}\n{times.model_dump_json()}\n")
        except OSError as error:
            raise FileInvalid(f"{self._folder}: cannot be written ({error.strerror}); what is there is kept") from None

    def finish(self) -> None:
        """All are: put them together."""
        if not self._partial.is_dir():
            return
        lines = [self._file(one.id).read_text(encoding="utf-8").splitlines() for one in self._transcripts]
        _write(self._folder / "times.jsonl", "".join(f"{times}\n" for _, times in lines))
        _write(self._folder / "turns.jsonl", "".join(f"{turns}\n" for turns, _ in lines))
        shutil.rmtree(self._partial)

    def _file(self, conversation: str) -> Path:
        return self._partial / f"{hashlib.sha256(conversation.encode()).hexdigest()[:32]}.jsonl"


def timeless(data: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored of an entry's data: without times and without what names one build of the index or one entry."""
    plain: dict[str, Any] = json.loads(json.dumps(_strip(data), default=str))
    return plain


def unnumbered(text: str) -> str:
    """A reply without the number of a ticket: it tells only which of the conversations at once came first."""
    return _TICKET.sub("T-…", text)


def _strip(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _content(key, inner) for key, inner in value.items() if not str(key).endswith("_ms")}
    return [_strip(one) for one in value] if isinstance(value, list | tuple) else value


def _content(key: object, value: object) -> object:
    if key == "steps" and isinstance(value, list):
        return [[step[0], step[-1]] for step in value]
    if key == "calls" and isinstance(value, list | tuple):
        return [one[:3] for one in value]
    if key == "open" and isinstance(value, Mapping):
        return {**value, "done": bool(value.get("done")), "proposal": _proposal(value.get("proposal"))}
    if key == "knowledge" and isinstance(value, str):
        return value.rpartition("-")[2]
    return _strip(value)


def _proposal(value: object) -> object:
    return {key: one for key, one in value.items() if key not in _OF_ONE_ENTRY} if isinstance(value, Mapping) else value


def _write(file: Path, text: str) -> None:
    """Whole or not at all."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)
