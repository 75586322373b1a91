"""Replies that agents send often, as data (`bot/policies/canned.yaml`)."""

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.patterns import POLICIES, read_policy

CANNED_FILE = POLICIES / "canned.yaml"
VARIABLES = ("agent", "company", "assistant")


def check_variables(text: str) -> str:
    """A text whose every `{name}` can be filled in. Raises ValueError naming the one that cannot."""
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise ValueError(f"{error}; write a brace itself twice") from None
    unknown = [name for name in names if name not in VARIABLES]
    if unknown:
        raise ValueError(f"{{{unknown[0]}}} cannot be filled in; there are {', '.join(VARIABLES)}")
    return text


class CannedReply(BaseModel):
    """One reply; `name` is what agents find it by."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1, max_length=40)
    text: Annotated[str, AfterValidator(check_variables)] = Field(min_length=1, max_length=2000)


class CannedReplies(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    replies: tuple[CannedReply, ...] = Field(max_length=200)

    def filled(self, values: Mapping[str, str]) -> list[CannedReply]:
        """Each with its variables filled in."""
        return [CannedReply.model_construct(name=one.name, text=one.text.format_map(values)) for one in self.replies]


def read_canned(path: Path = CANNED_FILE) -> CannedReplies:
    """The replies. Raises SettingsInvalid naming the file and the place that is wrong."""
    return read_policy(path, CannedReplies)
