"""What a customer reads who writes in a language that the bot does not: in that language, where we have the words."""

from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bot.patterns import POLICIES, read_policy


class _Texts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    english: str
    texts: dict[str, str]


def foreign_text(language: str) -> str:
    """That the bot only reads English: in the customer's language (ISO 639-1) where there is a text, then in English."""
    file = _texts(POLICIES / "foreign.yaml")
    own = file.texts.get(language)
    return f"{own}\n\n{file.english}" if own else file.english


@lru_cache
def _texts(path: Path) -> _Texts:
    return read_policy(path, _Texts)
