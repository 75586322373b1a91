"""Utterances written for the tests: JSON lines with id, text, history, label and part (development or test)."""

import json
from pathlib import Path

HERE = Path(__file__).resolve().parent


def read_cases(name: str) -> list[dict]:
    """The rows of `NAME.jsonl`."""
    return [json.loads(line) for line in (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
