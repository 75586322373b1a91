"""Models that were fitted once and are kept as JSON beside the code."""

import json
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bot.errors import SettingsInvalid

Fitted = TypeVar("Fitted", bound=BaseModel)


def load_fitted(path: Path, model: type[Fitted], what: str) -> Fitted:
    """The model in a file. Raises SettingsInvalid, naming the file and that `evals tune` with `what` makes it anew."""
    try:
        return model.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise SettingsInvalid(f"{path}: cannot be used ({first}); make it anew with `python -m evals tune {what}`") from None
